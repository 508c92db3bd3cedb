"""Which layers are rounded adaptively: where it pays, and errs less than the nearest on samples that it has not seen."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.conversion.adaptive_rounding import DAMPING, Covariance, expected_error, rounded
from loihiconv.conversion.covariances import Halves, Moments
from loihiconv.conversion.quantization import quantize
from loihiconv.conversion.rounding_choice import _factors, adaptively_rounded, choose_rounding, fitted, outweighs_time
from loihiconv.core.linear import Array, Dense, Sparse
from loihiconv.hardware.board import Board, load_board
from loihiconv.simulator import simulate
from tests.conversion.test_convert import data, small_cnn
from tests.conversion.test_quantization import chain

BOARD = load_board("kapoho_point")


def coarse(bits: int) -> Board:
    """Kapoho Point with narrower weights."""
    return BOARD.model_copy(update={"weight_bits": BOARD.weight_bits.model_copy(update={"value": bits})})


def test_where_weights_are_coarse_they_are_rounded_adaptively() -> None:
    model = small_cnn()

    def weights(x: Array, timesteps: int = 8, **settings: Any) -> list[Array]:
        return [c.map.weight for c in lc.convert(model, x, timesteps=timesteps, **settings).connections]

    x = data(100)
    for auto, same in zip(weights(x, 4, board=BOARD), weights(x, 4, board=BOARD, rounding="first"), strict=True):
        np.testing.assert_array_equal(auto, same)
    x = correlated(300)
    for auto, plain in zip(weights(x, board=coarse(3)), weights(x, board=coarse(3), rounding="nearest"), strict=True):
        assert (auto != plain).any()


def correlated(samples: int, shape: tuple[int, ...] = (2, 8, 8), seed: int = 0) -> Array:
    """Values in [0, 1] of six causes and a little noise, always of the same causes."""
    rng = np.random.default_rng(seed)
    causes = np.random.default_rng(99).normal(size=(6, int(np.prod(shape))))
    values = rng.normal(size=(samples, 6)) @ causes + 0.2 * rng.normal(size=(samples, causes.shape[1]))
    return (1 / (1 + np.exp(-values))).reshape(samples, *shape).astype(np.float32)


def independent(samples: int, shape: tuple[int, ...] = (200,), seed: int = 0) -> Array:
    """Values in [0, 1] that have nothing to do with one another."""
    return np.random.default_rng(seed).random((samples, *shape)).astype(np.float32)


def halves(x: Array) -> Halves:
    """Moments of the even and of the odd samples."""
    pair = tuple(Moments(x.mean(axis=0)[None]) for _ in range(2))
    for i, half in enumerate(pair):
        half.add(x[None, i::2])
    return pair[0], pair[1]


@pytest.mark.parametrize("samples", [40, 200])
def test_what_does_not_go_together_is_rounded_to_the_nearest(samples: int) -> None:
    weight = np.random.default_rng(1).normal(0, 0.3, (20, 200))
    covariance = fitted(Dense(weight), 100.0, 8, halves(independent(samples)))
    assert (covariance.damping, covariance.optimism, covariance.definite) == (inf, 1.0, True)
    np.testing.assert_array_equal(rounded(Dense(weight), 100.0, 8, covariance).weight, rounded(Dense(weight), 100.0, 8).weight)


def test_damping_is_what_errs_least_on_samples_that_were_not_seen() -> None:
    """With the causes of 200 inputs, beside the error on many other samples."""
    weight = np.random.default_rng(1).normal(0, 0.3, (20, 200))
    covariance = fitted(Dense(weight), 100.0, 8, halves(correlated(200, (200,))))
    truth = np.cov(correlated(4000, (200,), seed=5).T.astype(np.float64), bias=True)[None]

    def error(damping: float) -> float:
        wrong = rounded(Dense(weight), 100.0, 8, Covariance(covariance.values, damping)).weight - 100 * weight
        return expected_error(wrong, truth)

    assert DAMPING <= covariance.damping < inf
    assert error(covariance.damping) < 0.3 * error(inf)
    assert error(covariance.damping) <= 1.15 * min(error(0.01), error(0.1), error(1.0))
    wrong = rounded(Dense(weight), 100.0, 8, covariance).weight - 100 * weight
    told = covariance.optimism * expected_error(wrong, covariance.values)
    assert 0.6 < told / error(covariance.damping) < 2


def test_one_sample_leaves_none_to_judge_by() -> None:
    covariance = fitted(Dense(np.array([[0.4, 0.4]])), 1.0, 8, halves(np.ones((1, 2), np.float32)))
    assert covariance.damping == inf
    x = data(1)
    for rounding in ("auto", "adaptive"):
        assert lc.convert(small_cnn(), x, board=BOARD, timesteps=4, rounding=rounding).fixed_point  # type: ignore[arg-type]


def test_auto_does_not_lose_to_the_nearest_where_inputs_are_many_and_samples_few() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(561, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 6)).eval()
    x, unseen = independent(1000, (561,)), independent(300, (561,), seed=1)
    wanted = model(torch.from_numpy(unseen)).detach().numpy()

    def correlation(rounding: Any) -> float:
        outputs = lc.run(lc.convert(model, x, board=BOARD, timesteps=32, rounding=rounding), unseen).potentials
        return float(np.mean([np.corrcoef(outputs[:, k], wanted[:, k])[0, 1] for k in range(6)]))

    auto, nearest = map(correlation, ("auto", "nearest"))
    assert auto >= nearest - 0.002
    assert auto > 0.98


def test_where_a_covariance_is_not_definite_the_nearest_is_taken_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    x = data(100)
    origin = lc.convert(small_cnn(), x, board=None, timesteps=8)
    monkeypatch.setattr("loihiconv.conversion.adaptive_rounding.MOST_DAMPING", 0.01)
    monkeypatch.setattr(Moments, "covariance", lambda self, **_: -np.eye(self.pivot.shape[1])[None] + np.zeros((len(self.pivot), 1, 1)))
    covariances, notes = choose_rounding(origin, BOARD, "adaptive", x, centred=True)
    assert all(c is not None and c.damping == inf for known in covariances.values() for c in known)
    assert len(notes) == 4
    assert notes[0] == "input->0: the covariance of what it receives is not positive definite; weights are rounded to the nearest"
    network = lc.convert(small_cnn(), x, board=BOARD, timesteps=8, rounding="adaptive")
    assert set(notes) <= set(network.record.notes)


@pytest.mark.parametrize("contrast", [1e-4, 0.0])
@pytest.mark.parametrize("rounding", ["auto", "adaptive"])
@pytest.mark.parametrize("bias_correction", [True, False])
def test_data_of_little_contrast_converts(contrast: float, rounding: Any, bias_correction: bool) -> None:
    x = (0.5 + contrast * np.random.default_rng(0).normal(size=(100, 2, 8, 8))).astype(np.float32)
    network = lc.convert(small_cnn(), x, board=BOARD, timesteps=8, rounding=rounding, bias_correction=bias_correction)
    assert network.fixed_point
    assert not [note for note in network.record.notes if "definite" in note]


def test_which_layers_are_rounded_adaptively() -> None:
    x = data(100)
    origin = lc.convert(small_cnn(), x, board=BOARD, timesteps=8).origin
    assert origin is not None
    every = {p.name for p in origin.populations[1:]}
    assert adaptively_rounded(origin, BOARD, "nearest", x) == set()
    assert adaptively_rounded(origin, BOARD, "adaptive", x) == every
    for board in (BOARD, coarse(3)):
        assert adaptively_rounded(origin, board, "first", x) == {"0"}
    assert adaptively_rounded(origin, BOARD, "auto", x) == {"0"}
    assert adaptively_rounded(origin, coarse(3), "auto", x) == every
    # in so many steps nothing but weights is wrong, and the readout's potential leaves few bits to its own
    assert origin.readout.name in adaptively_rounded(replace(origin, timesteps=2**9), BOARD, "auto", x)


def test_rounding_outweighs_time_from_a_computable_number_of_steps_on() -> None:
    """Weights of 3 that are wrong by 1/2, rates with E[r²] = 1/4: 1/16 against 9 / (12 T²), equal where T² = 12."""
    wrong, weight = np.array([0.5, -0.5]), np.array([3.0, -3.0])
    assert not outweighs_time(wrong, weight, 0.25, 3)
    assert outweighs_time(wrong, weight, 0.25, 4)
    # equal: the mean of 4, 16 and 16 is 12, so that one step errs by 1 as well
    assert not outweighs_time(np.ones(3), np.array([2.0, 4.0, -4.0]), 1.0, 1)
    assert outweighs_time(np.ones(3), np.array([2.0, 4.0, -4.0]), 1.001, 1)


def test_what_is_compared_are_rates_and_weights_per_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    """A readout of small weights, which has an exponent: δ stays within half a step, and rates within 1."""
    rng = np.random.default_rng(0)
    network = chain([rng.normal(0, 0.2, (20, 30)), rng.normal(0, 0.002, (5, 20))], timesteps=256, coding="rate")
    x, asked = rng.random((10, 30)).astype(np.float32), []
    monkeypatch.setattr("loihiconv.conversion.rounding_choice.outweighs_time", lambda *arguments: asked.append(arguments))
    assert adaptively_rounded(network, BOARD, "auto", x) == set()
    net, counts = quantize(network, BOARD), simulate(network, x).spike_counts
    for name, source, spikes in (("dense0", "input", counts["input"]), ("readout", "dense0", counts["dense0"])):
        (connection,) = net.incoming(name)
        wrong, _, mean_square, timesteps = next(a for a in asked if a[1].shape == connection.map.weight.shape)
        step = 2 * 2.0**connection.weight_exp / net.record.quantization[name].gain
        assert 0 < np.abs(wrong).max() <= 0.5001 * step, source
        assert mean_square == pytest.approx(np.mean((spikes / 256) ** 2))
        assert timesteps == 256
    assert net.incoming("readout")[0].weight_exp < 0


@pytest.mark.parametrize(("board", "on_host"), [(BOARD, False), (load_board("kapoho_bay"), True)])
def test_factors_turn_weights_into_integers(board: Board, on_host: bool) -> None:
    """With payloads and exponents; of what the host computes there is none."""
    rng = np.random.default_rng(0)
    network = chain([rng.normal(0, 0.2, (20, 30)), rng.normal(0, 0.002, (5, 20))], timesteps=256)
    net = quantize(network, board)
    first, last = _factors(network, net, "dense0")[0], _factors(network, net, "readout")[0]
    assert (first is None) is on_host
    assert net.connections[1].weight_exp < 0
    for factor, old, new in zip((first, last), network.connections, net.connections, strict=True):
        if factor is not None:
            assert np.abs(factor * old.map.weight - new.map.weight).max() <= 1 + 1e-6  # half of a step of 2
    assert _factors(network, None, "readout") == [None]


def test_sparse_maps_are_rounded_to_the_nearest_and_that_is_said() -> None:
    torch.manual_seed(0)
    layers = nn.Conv2d(2, 4, 3, padding=1), nn.AvgPool2d(3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)
    x = correlated(60)
    net, nearest = (lc.convert(nn.Sequential(*layers), x, board=BOARD, timesteps=8, rounding=r) for r in ("adaptive", "nearest"))
    sparse = net.connections[0]
    assert isinstance(sparse.map, Sparse)
    np.testing.assert_array_equal(sparse.map.weight, nearest.connections[0].map.weight)
    assert (net.connections[1].map.weight != nearest.connections[1].map.weight).any()
    note = f"{sparse.name}: its outputs have inputs of their own each; weights are rounded to the nearest"
    assert note in net.record.notes
    assert note not in nearest.record.notes
