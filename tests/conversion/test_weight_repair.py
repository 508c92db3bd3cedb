"""Weights that make up for what the layers before them got wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import loihiconv as lc
from loihiconv.conversion.adaptive_rounding import Covariance
from loihiconv.conversion.weight_repair import Repair, regressed
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import Network
from loihiconv.simulator.layerwise import Layerwise
from tests.conversion.test_convert import small_cnn
from tests.conversion.test_rounding_choice import BOARD, coarse, correlated


def test_weights_take_back_what_is_known_to_be_wrong() -> None:
    """What comes in is a mixture of what is meant: W' r is W f again, or with a ridge nearly so."""
    rng = np.random.default_rng(0)
    f = rng.normal(size=(5000, 6))
    mixed = np.eye(6) + 0.2 * rng.normal(size=(6, 6))
    r = f @ mixed.T
    own, cross = (r.T @ r / 5000)[None], (f.T @ r / 5000)[None]
    weight = rng.normal(size=(3, 6))
    moved = regressed(Dense(weight), own, cross).weight
    exact = weight @ np.linalg.inv(mixed)
    assert np.abs(moved - exact).max() < 0.1 * np.abs(weight - exact).max()


def test_nothing_is_moved_where_nothing_is_wrong_or_nothing_comes() -> None:
    weight = np.random.default_rng(0).normal(size=(4, 1, 2, 2))
    depthwise = Conv(weight, groups=4)
    own = np.stack([np.cov(np.random.default_rng(i).normal(size=(4, 50))) for i in range(4)])
    own[2] = 0  # a channel that is silent
    np.testing.assert_allclose(regressed(depthwise, own, own).weight, weight, atol=1e-8)


def converted(bits: int, repaired: bool, monkeypatch: pytest.MonkeyPatch) -> Network:
    with monkeypatch.context() as patch:
        if not repaired:
            patch.setattr("loihiconv.conversion.building.Repair", lambda *_: None)
        return lc.convert(small_cnn(), correlated(300), board=coarse(bits), timesteps=64)


def test_few_bits_err_less(monkeypatch: pytest.MonkeyPatch) -> None:
    x = correlated(200, seed=7)
    with torch.no_grad():
        outputs = small_cnn().eval()(torch.from_numpy(x)).numpy()
    errors = []
    for repaired in (True, False):
        found = np.asarray(lc.run(converted(4, repaired, monkeypatch), x).outputs) - outputs
        errors.append(float(found.var(axis=0).mean()))
    assert errors[0] < errors[1]


def test_eight_bits_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for own, plain in zip(*(converted(8, repaired, monkeypatch).connections for repaired in (True, False)), strict=True):
        np.testing.assert_array_equal(own.map.weight, plain.map.weight)


def test_lava_computes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    net, x = converted(4, True, monkeypatch), correlated(2, seed=7)
    emulated, simulated = (lc.run(net, x, backend, record=["spikes"]) for backend in ("emulator", "lava"))
    np.testing.assert_array_equal(emulated.potentials, simulated.potentials)
    for name, spikes in emulated.spikes.items():
        np.testing.assert_array_equal(spikes, simulated.spikes[name])


def test_weights_that_would_break_a_range_are_left() -> None:
    net = lc.convert(small_cnn(), correlated(50), board=BOARD, timesteps=8)
    assert net.origin is not None
    repair, connection = Repair(net.origin, BOARD, {}, correlated(50)), net.connections[1]
    changed = {weight: replace(connection, map=connection.map.with_weight(0 * connection.map.weight + weight)) for weight in (2, 256)}
    assert repair._within_limits(net, {connection: changed[2]}).connections[1] is changed[2]
    assert repair._within_limits(net, {connection: changed[256]}) is net


def test_rounded_to_the_nearest_stay() -> None:
    """Where nothing is carried on, nothing is moved."""
    net = lc.convert(small_cnn(), correlated(50), board=BOARD, timesteps=8)
    assert net.origin is not None
    name = net.layers[1].name
    flat = {name: (Covariance(np.eye(1)[None], damping=np.inf),)}
    run = Layerwise(net, correlated(50))
    run.settle(net.layers[0].name)
    assert Repair(net.origin, BOARD, flat, correlated(50))(run, name) is net
