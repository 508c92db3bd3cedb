"""Adaptive rounding: errors of weights make up for each other on what a layer receives."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.conversion.adaptive_rounding import adaptive_weights, expected_error
from loihiconv.conversion.covariances import input_covariances
from loihiconv.conversion.quantization import quantize
from loihiconv.conversion.rounding_choice import adaptively_rounded, outweighs_time
from loihiconv.core.fixed_point import round_weights
from loihiconv.core.linear import Array, Conv, Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout
from loihiconv.core.record import CalibrationSummary, ConversionRecord
from loihiconv.hardware.board import Board, load_board
from tests.conversion.test_convert import data, small_cnn
from tests.naive import matrix

BOARD = load_board("kapoho_point")


def correlated(rng: np.random.Generator, size: int, rank: int = 2) -> Array:
    """A covariance of few independent causes and a little noise."""
    causes = rng.normal(size=(size, rank))
    return causes @ causes.T + 0.01 * np.eye(size)


def test_two_equal_inputs_by_hand() -> None:
    # 0.4 rounds to 0 twice; but the inputs are one and the same, so the second takes what the first left: 0.8 -> 1
    q = adaptive_weights(np.array([[0.4, 0.4]]), np.ones((1, 2, 2)), np.rint, damping=1e-9)
    np.testing.assert_array_equal(q, [[0, 1]])
    # inputs that have nothing to do with each other: the nearest
    np.testing.assert_array_equal(adaptive_weights(np.array([[0.4, 0.4, 1.6]]), np.eye(3)[None], np.rint), [[0, 0, 2]])


def test_inputs_that_do_not_vary_or_are_not_known_get_the_nearest() -> None:
    weight = np.array([[0.4, 0.7, 2.6]])
    np.testing.assert_array_equal(adaptive_weights(weight, np.zeros((1, 2, 2)), np.rint), [[0, 1, 3]])


def test_error_is_far_below_that_of_the_nearest_and_close_to_the_best_there_is() -> None:
    rng = np.random.default_rng(0)
    adaptive_sum = nearest_sum = best_sum = 0.0
    for _ in range(30):
        h, w = correlated(rng, 6)[None], rng.uniform(-3, 3, (1, 6))
        candidates = np.floor(w) + np.array(list(product((0, 1), repeat=6)))
        best_sum += min(expected_error(w - c[None], h) for c in candidates)
        nearest_sum += expected_error(w - np.rint(w), h)
        adaptive_sum += expected_error(w - adaptive_weights(w, h, np.rint), h)
    assert best_sum < adaptive_sum < 0.4 * nearest_sum


@pytest.mark.parametrize("groups", [1, 2])
def test_blocks_of_columns_are_carried_like_single_ones(groups: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    conv = rng.normal(0, 20, (4, 3, 3, 5))
    h = np.stack([correlated(rng, 45, 5) for _ in range(groups)])
    nearest = partial(round_weights, even=True)
    whole = adaptive_weights(conv, h, nearest)
    monkeypatch.setattr("loihiconv.conversion.adaptive_rounding.COLUMNS", 7)
    np.testing.assert_array_equal(adaptive_weights(conv, h, nearest), whole)
    assert whole.shape == conv.shape
    assert (whole % 2 == 0).all()


def test_expected_error_by_hand() -> None:
    h = np.array([[[2.0, 1.0], [1.0, 3.0]]])
    # (1, 2) H (1, 2)' = 2 + 2 * 2 + 12 = 18; the third input is a bias plane, which does not vary
    assert expected_error(np.array([[1.0, 2.0, 9.0]]), h) == 18
    grouped = Conv(np.array([1.0, 2.0]).reshape(2, 1, 1, 1), groups=2)
    assert expected_error(grouped.weight, np.array([[[2.0]], [[3.0]]])) == (2 + 4 * 3) / 2


@pytest.mark.parametrize("centred", [True, False])
def test_covariances_are_those_of_each_synapse(centred: bool) -> None:
    """Against the dense matrix of the convolution: E[(δ x)²] over samples and positions, with a padded, strided, grouped kernel."""
    rng = np.random.default_rng(2)
    conv = Conv(rng.normal(size=(4, 1, 3, 2)).astype(np.float32), (2, 1), (1, 0, 0, 1), groups=2)
    zero, flat = np.zeros((1, 1, 1), np.float32), np.zeros(1, np.float32)
    populations = (
        Input("input", (2, 5, 4), scale=2.0),
        IF("a", conv.output_shape((2, 5, 4)), 1.0, zero, zero),
        Readout("r", (1,), flat, flat),
    )
    size = int(np.prod(populations[1].shape))
    maps = (Connection("input", "a", conv), Connection("a", "r", Dense(np.ones((1, size), np.float32))))
    x = rng.uniform(0, 2, (50, 2, 5, 4)).astype(np.float32)
    network = Network(populations, maps, 4)
    found = input_covariances(network, x, centred=centred, targets={"a"})
    assert list(found) == [("input", "a")]
    sums = (x.reshape(50, -1) / 2 @ matrix(conv, (2, 5, 4)).T).reshape(50, 4, -1)
    wanted = [np.mean(s**2) - (np.mean(s) ** 2 if centred else 0) for s in sums.transpose(1, 0, 2)]
    assert expected_error(conv.weight.astype(np.float64), found["input", "a"]) == pytest.approx(np.mean(wanted), rel=1e-4)
    hidden = input_covariances(network, x, centred=centred)["a", "r"]
    assert hidden.shape == (1, size, size)


def test_conversion_rounds_adaptively_and_tells_on_request_only() -> None:
    model, x = small_cnn(), data(100)
    nearest = lc.convert(model, x, board=BOARD, timesteps=8, rounding="nearest")
    adaptive = lc.convert(model, x, board=BOARD, timesteps=8, rounding="adaptive")
    again = lc.convert(model, x, board=BOARD, timesteps=8, rounding="adaptive")
    first = lc.convert(model, x, board=BOARD, timesteps=8, rounding="first")
    assert any((a.map.weight != b.map.weight).any() for a, b in zip(nearest.connections, adaptive.connections, strict=True))
    for a, b in zip(adaptive.connections, again.connections, strict=True):
        np.testing.assert_array_equal(a.map.weight, b.map.weight)
        assert np.abs(a.map.weight).max() <= 255
    for a, b in zip(nearest.connections, first.connections, strict=True):
        np.testing.assert_array_equal(a.map.weight, b.map.weight) if a.source != "input" else None
    np.testing.assert_array_equal(first.connections[0].map.weight, adaptive.connections[0].map.weight)
    assert nearest.origin is not None
    covariances = input_covariances(nearest.origin, x)
    plain, better = quantize(nearest.origin, BOARD), quantize(nearest.origin, BOARD, covariances)
    for connection in nearest.origin.connections:
        key = (connection.source, connection.target)
        if key in covariances and key[0] != "input":
            assert _error(better, connection, covariances[key]) <= 1.01 * _error(plain, connection, covariances[key])


def coarse(bits: int) -> Board:
    """Kapoho Point with narrower weights."""
    return BOARD.model_copy(update={"weight_bits": BOARD.weight_bits.model_copy(update={"value": bits})})


def test_where_weights_are_coarse_they_are_rounded_adaptively() -> None:
    model, x = small_cnn(), data(100)

    def weights(**settings: Any) -> list[Array]:
        return [c.map.weight for c in lc.convert(model, x, timesteps=8, **settings).connections]

    for board, rounding in ((coarse(3), "adaptive"), (BOARD, "first")):
        for auto, same in zip(weights(board=board), weights(board=board, rounding=rounding), strict=True):
            np.testing.assert_array_equal(auto, same)


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


def test_bits_that_are_used_count_steps_of_the_board() -> None:
    origin = lc.convert(small_cnn(), data(100), board=BOARD, timesteps=8).origin
    assert origin is not None
    used = [quantize(origin, b).record.quantization["4"].weight_bits_used for b in (BOARD, coarse(4))]
    assert 7.5 < used[0] <= 8
    assert 3 < used[1] <= 4


def _error(net: Network, connection: Connection, covariance: Array) -> float:
    twin = next(c for c in net.connections if c.name == connection.name)
    target = net[connection.target]
    assert net.origin is not None
    gain = target.vth if isinstance(target, IF) else target.scale / net.origin.readout.scale / 64  # type: ignore[union-attr]
    return expected_error(twin.map.weight / gain - connection.map.weight, covariance)


def test_exact_bytes_get_all_eight_bits_of_payload() -> None:
    """What calibration measures of rounding decides over the width: payloads that bytes are keep theirs."""
    rng = np.random.default_rng(0)
    start = np.full(1, 0.5, np.float32)
    populations = (Input("input", (300,)), IF("a", (8,), 1.0, start, 0 * start), Readout("r", (2,), 0 * start, 0 * start))
    maps = (
        Connection("input", "a", Dense(rng.normal(0, 0.3, (8, 300)).astype(np.float32))),
        Connection("a", "r", Dense(np.ones((2, 8), np.float32))),
    )
    network = Network(populations, maps, 8)
    assert quantize(network, BOARD).input.payload_max < 255
    covariance = {("input", "a"): 0.01 * np.ones((1, 300, 300)) + 0.0001 * np.eye(300)}
    exact = replace(network, record=ConversionRecord(calibration=CalibrationSummary(payload_errors={255: 0.0})))
    assert quantize(exact, BOARD, covariance).input.payload_max == 255
