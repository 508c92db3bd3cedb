"""Adaptive rounding: errors of weights make up for each other on what a layer receives."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import product
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import loihiconv as lc
from loihiconv.conversion.adaptive_rounding import Covariance, adaptive_weights, expected_error, rounded
from loihiconv.conversion.covariances import input_covariances
from loihiconv.conversion.payload_choice import best_inputs
from loihiconv.conversion.quantization import quantize
from loihiconv.core.fixed_point import round_weights
from loihiconv.core.linear import Array, Conv, Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout
from loihiconv.core.record import CalibrationSummary, ConversionRecord
from loihiconv.core.validation import check_weights
from loihiconv.hardware.board import Board, load_board
from loihiconv.hardware.limits import weight_bits
from tests.conversion.test_convert import data, small_cnn

BOARD = load_board("kapoho_point")


def correlated(rng: np.random.Generator, size: int, rank: int = 2) -> Array:
    """A covariance of few independent causes and a little noise."""
    causes = rng.normal(size=(size, rank))
    return causes @ causes.T + 0.01 * np.eye(size)


def test_two_equal_inputs_by_hand() -> None:
    # 0.4 rounds to 0 twice; but the inputs are one and the same, so the second takes what the first left: 0.8 -> 1
    q = adaptive_weights(np.array([[0.4, 0.4]]), Covariance(np.ones((1, 2, 2)), damping=1e-9), np.rint)
    np.testing.assert_array_equal(q, [[0, 1]])
    # inputs that have nothing to do with each other: the nearest
    np.testing.assert_array_equal(adaptive_weights(np.array([[0.4, 0.4, 1.6]]), Covariance(np.eye(3)[None]), np.rint), [[0, 0, 2]])


def test_inputs_that_do_not_vary_or_are_not_known_get_the_nearest() -> None:
    weight = np.array([[0.4, 0.7, 2.6]])
    still = Covariance(np.zeros((1, 2, 2)))
    assert still.definite
    np.testing.assert_array_equal(adaptive_weights(weight, still, np.rint), [[0, 1, 3]])


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_damping_is_a_share_of_the_variance(unit: float) -> None:
    """0.4 + 0.4 / 1.01 is 1 in whatever units inputs are."""
    np.testing.assert_array_equal(adaptive_weights(np.array([[0.4, 0.4]]), Covariance(unit * np.ones((1, 2, 2))), np.rint), [[0, 1]])


def test_error_is_far_below_that_of_the_nearest_and_close_to_the_best_there_is() -> None:
    rng = np.random.default_rng(0)
    adaptive_sum = nearest_sum = best_sum = 0.0
    for _ in range(30):
        h, w = correlated(rng, 6)[None], rng.uniform(-3, 3, (1, 6))
        candidates = np.floor(w) + np.array(list(product((0, 1), repeat=6)))
        best_sum += min(expected_error(w - c[None], h) for c in candidates)
        nearest_sum += expected_error(w - np.rint(w), h)
        adaptive_sum += expected_error(w - adaptive_weights(w, Covariance(h), np.rint), h)
    assert best_sum < adaptive_sum < 0.4 * nearest_sum


def test_more_damping_where_it_is_not_definite_and_the_nearest_where_that_does_not_help() -> None:
    weight = np.array([[0.4, 0.4]])
    slightly = Covariance(np.array([[[1.0, 1.05], [1.05, 1.0]]]))  # an eigenvalue of -0.05: damped by 0.1
    assert slightly.definite
    np.testing.assert_array_equal(adaptive_weights(weight, slightly, np.rint), [[0, 1]])
    for values in ([[1.0, 3.0], [3.0, 1.0]], [[np.nan, 0.0], [0.0, 1.0]], [[-1.0, 0.0], [0.0, -1.0]]):
        hopeless = Covariance(np.array([values]))
        assert not hopeless.definite
        np.testing.assert_array_equal(adaptive_weights(weight, hopeless, np.rint), [[0, 0]])
    nearest = Covariance(np.ones((1, 2, 2)), inf)
    assert nearest.definite
    np.testing.assert_array_equal(adaptive_weights(weight, nearest, np.rint), [[0, 0]])


def test_weights_of_one_sign_keep_it_and_still_make_up_for_errors() -> None:
    same = Covariance(np.ones((1, 2, 2)), damping=1e-9)  # 1.4 leaves 0.4 to its like
    for sign in (1, -1):
        np.testing.assert_array_equal(rounded(Dense(sign * np.array([[1.4, 1.4]])), 1, 8, same).weight, [[sign, 2 * sign]])
    rng = np.random.default_rng(0)
    errors, crossed = np.zeros(2), 0
    for _ in range(20):
        h, w = correlated(rng, 30)[None], rng.uniform(0, 6, (8, 30))
        crossed += adaptive_weights(w, Covariance(h), np.rint).min() < 0
        for i, covariance in enumerate((Covariance(h), None)):
            q = rounded(Dense(w), 1, 8, covariance).weight
            assert q.min() >= 0
            errors[i] += expected_error(q - w, h)
    assert crossed
    assert errors[0] < 0.4 * errors[1]


STYLES = ("mixed", "excitatory", "inhibitory", "tiny", "one negative", "zero")


@given(st.sampled_from(STYLES), st.integers(2, 8), st.integers(0, 2**32 - 1), st.sampled_from((1e-9, 0.01, 1.0)), st.integers(1, 2))
def test_signs_never_change_class_and_the_chip_takes_the_weights(style: str, bits: int, seed: int, damping: float, groups: int) -> None:
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 30))
    drawn = rng.normal(size=(2 * groups, size))
    weight = {
        "mixed": drawn,
        "excitatory": np.abs(drawn),
        "inhibitory": -np.abs(drawn),
        "tiny": 1e-3 * drawn,
        "one negative": np.where(np.arange(drawn.size).reshape(drawn.shape), np.abs(drawn), -0.1),
        "zero": 0 * drawn,
    }[style]
    negative, positive = bool((weight < 0).any()), bool((weight > 0).any())
    step = 2 ** (8 - bits + (negative and positive))
    largest = 256 - step
    factor = largest / max(np.abs(weight).max(), 1e-12) if style != "tiny" else 100.0
    h = np.stack([correlated(rng, size, int(rng.integers(1, 4))) for _ in range(groups)])
    conv = Conv(weight.reshape(2 * groups, size, 1, 1), groups=groups)
    q = rounded(conv, factor, bits, Covariance(h, damping)).weight
    assert q.dtype == np.int32
    assert (q >= 0).all() or negative
    assert (q <= 0).all() or positive
    assert (q % step == 0).all()
    assert np.abs(q).max() <= largest
    check_weights(Connection("input", "a", conv.with_weight(q)))
    zero, flat = np.zeros((1, 1, 1), np.int32), np.zeros(1, np.int32)
    readout = Connection("a", "r", Dense(np.ones((1, 2 * groups), np.int32)))
    populations = (Input("input", (size * groups, 1, 1)), IF("a", (2 * groups, 1, 1), 1, zero, zero), Readout("r", (1,), flat, flat))
    network = Network(populations, (Connection("input", "a", conv.with_weight(q)), readout), 1, fixed_point=True)
    assert [v for v in weight_bits(network, coarse(bits)) if v.layer == "input->a"] == []


@pytest.mark.parametrize("groups", [1, 2])
def test_blocks_of_columns_are_carried_like_single_ones(groups: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    conv = rng.normal(0, 20, (4, 3, 3, 5))
    h = np.stack([correlated(rng, 45, 5) for _ in range(groups)])
    nearest = partial(round_weights, even=True)
    whole = adaptive_weights(conv, Covariance(h), nearest)
    monkeypatch.setattr("loihiconv.conversion.adaptive_rounding.COLUMNS", 7)
    np.testing.assert_array_equal(adaptive_weights(conv, Covariance(h), nearest), whole)
    assert whole.shape == conv.shape
    assert (whole % 2 == 0).all()


def test_expected_error_by_hand() -> None:
    h = np.array([[[2.0, 1.0], [1.0, 3.0]]])
    # (1, 2) H (1, 2)' = 2 + 2 * 2 + 12 = 18; the third input is a bias plane, which does not vary
    assert expected_error(np.array([[1.0, 2.0, 9.0]]), h) == 18
    grouped = Conv(np.array([1.0, 2.0]).reshape(2, 1, 1, 1), groups=2)
    assert expected_error(grouped.weight, np.array([[[2.0]], [[3.0]]])) == (2 + 4 * 3) / 2


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
    measured = input_covariances(nearest.origin, x)
    covariances = {name: tuple(h if h is None else Covariance(h) for h in known) for name, known in measured.items()}
    plain, better = quantize(nearest.origin, BOARD), quantize(nearest.origin, BOARD, covariances)
    for connection in nearest.origin.connections:
        (h,) = measured[connection.target]
        if h is not None and connection.source != "input":
            assert _error(better, connection, h) <= 1.01 * _error(plain, connection, h)


def coarse(bits: int) -> Board:
    """Kapoho Point with narrower weights."""
    return BOARD.model_copy(update={"weight_bits": BOARD.weight_bits.model_copy(update={"value": bits})})


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
    populations = (Input("input", (300, 1, 1)), IF("a", (8, 1, 1), 1.0, start, 0 * start), Readout("r", (2,), 0 * start, 0 * start))
    maps = (
        Connection("input", "a", Conv(rng.normal(0, 0.3, (8, 300, 1, 1)).astype(np.float32))),
        Connection("a", "r", Dense(np.ones((2, 8), np.float32))),
    )
    network = Network(populations, maps, 8)
    assert best_inputs(network, BOARD, {}, unshared=False).inputs["input"].payload_max < 255
    covariance = {"a": (Covariance(0.01 * np.ones((1, 300, 300)) + 0.0001 * np.eye(300)),)}
    exact = replace(network, record=ConversionRecord(calibration=CalibrationSummary(payload_errors={255: 0.0})))
    assert best_inputs(exact, BOARD, covariance, unshared=False).inputs["input"].payload_max == 255
