"""From a float spiking network of others to a board."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.errors import InvalidData, InvalidSetting
from tests.exchange.naive_nir import eighths, random_graph

nir: Any = pytest.importorskip("nir", reason="the package nir is not installed")
SEED = 13


def graph() -> Any:
    return random_graph(nir, SEED)


def samples(n: int = 40, largest: float = 1.5) -> np.ndarray:
    shape = graph().nodes["in"].input_type["input"]
    return np.asarray(np.abs(eighths(np.random.default_rng(2), n, *shape)) * largest / 1.5, np.float32)


def test_a_board_runs_what_the_float_network_does() -> None:
    x = samples()
    fixed = lc.from_nir(graph(), timesteps=32, reset="subtract", calibration=x, board="kapoho_point")
    assert fixed.fixed_point
    assert fixed.board == "kapoho_point"
    assert fixed.origin is not None
    assert fixed.record.calibration.samples == 40
    assert fixed.input.scale == x.max()
    rates = [lc.run(net, x, backend).spike_counts for net, backend in ((fixed, "emulator"), (fixed, "float"))]
    for name in rates[0]:
        assert np.abs(rates[0][name] - rates[1][name]).mean() < 0.02 * 32


def test_calibration_may_be_batches_and_is_looked_at() -> None:
    x = samples()
    whole, parts = (lc.from_nir(graph(), timesteps=8, reset="subtract", calibration=c) for c in (x, [x[:30], (x[30:], "labels")]))
    assert whole.input.scale == parts.input.scale
    assert parts.record.calibration.samples == 40
    with pytest.raises(InvalidData, match="samples of shape"):
        lc.from_nir(graph(), timesteps=8, calibration=x[:, :, :2])
    with pytest.warns(UserWarning, match="if0: no spike on 40 calibration samples"):
        lc.from_nir(random_graph(nir, 0), timesteps=1, reset="subtract", calibration=0 * quiet(40))


def quiet(n: int) -> np.ndarray:
    return np.zeros((n, *random_graph(nir, 0).nodes["in"].input_type["input"]), np.float32)


def test_signs_are_what_calibration_has() -> None:
    assert not lc.from_nir(graph(), timesteps=4, calibration=samples()).input.signed
    assert lc.from_nir(graph(), timesteps=4, calibration=-samples()).input.signed
    assert lc.from_nir(graph(), timesteps=4).input.signed


def test_rates_are_spikes_per_step() -> None:
    net = lc.from_nir(graph(), timesteps=4, input_coding="rate", calibration=samples(largest=0.5), board="kapoho_point")
    assert net.input.scale == 1
    with pytest.raises(InvalidData, match=r"values from 0 to 1.5 as rate coded input; spikes per step, 0 to 1, expected"):
        lc.from_nir(graph(), timesteps=4, input_coding="rate", calibration=samples())


def test_a_board_needs_calibration_data_and_the_spikes_that_are_asked_for() -> None:
    with pytest.raises(InvalidData, match="no calibration data"):
        lc.from_nir(graph(), timesteps=4, board="kapoho_point")
    graded = lc.from_nir(graph(), timesteps=4, spike_bits=3, reset="subtract", calibration=samples(), board="kapoho_point")
    assert graded.payload_max == 7
    with pytest.raises(lc.LoihiconvError, match="spikes are binary"):
        lc.from_nir(graph(), timesteps=4, spike_bits=3, reset="subtract", calibration=samples(), board="kapoho_bay")
    with pytest.raises(InvalidSetting, match='reset "zero" with graded spikes'):
        lc.from_nir(graph(), timesteps=4, spike_bits=3, reset="zero")
