"""Straight pieces in place of curves: what they compute, by hand, and that they follow what is given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihiconv.ann.evaluator import forward
from loihiconv.ann.graph import Ann, Curve, Input, Relu
from loihiconv.ann.passes.curves import curved, nearest, straight, straightened
from loihiconv.core.errors import UnsupportedLayer
from loihiconv.core.linear import Array
from loihiconv.core.record import StraightCurve

X = np.linspace(-16, 16, 4001)
CURVES = {
    "silu": X / (1 + np.exp(-X)),
    "tanh": np.tanh(X),
    "elu": np.where(X > 0, X, np.expm1(np.minimum(X, 0))),
    "tanhshrink": X - np.tanh(X),
    "softplus": np.logaddexp(0, X),
}


def test_what_lies_far_beyond_all_values_has_no_part() -> None:
    """Where no value is, log(max(x, 1e-6)) is 10 below the least that there is; a level end would cost the slope above."""
    x = np.concatenate([[-16.0], np.geomspace(1e-6, 16, 20001)])
    given = np.random.default_rng(0).uniform(0.05, 4, 5000)
    pieces = nearest(Curve("f", ("input",), x, np.log(np.maximum(x, 1e-6))), given, 3)
    assert np.sqrt(np.mean((values(pieces, given) - np.log(given)) ** 2)) < 0.1


def curve(name: str) -> Curve:
    return Curve("f", ("input",), X, CURVES[name])


def values(pieces: StraightCurve, x: Array) -> Array:
    """Straight from knot to knot, written once more."""
    result = np.interp(x, pieces.knots, pieces.values)
    return np.asarray(result + pieces.before * np.minimum(x - pieces.knots[0], 0) + pieces.after * np.maximum(x - pieces.knots[-1], 0))


def network(node: Curve, size: int) -> Ann:
    return Ann((Input("input", shape=(size,)), node))


def test_a_curve_is_evaluated_between_its_points_and_beyond_them() -> None:
    node = Curve("f", ("input",), np.array([-1.0, 0.0, 2.0]), np.array([1.0, 0.0, 1.0]))
    result, _ = forward(network(node, 5), np.array([[-3.0, -0.5, 1.0, 2.0, 6.0]]))
    np.testing.assert_allclose(result.numpy(), [[3.0, 0.5, 0.5, 1.0, 3.0]], rtol=1e-6)


@given(
    knots=st.lists(st.floats(0.1, 2), min_size=1, max_size=4),
    heights=st.lists(st.floats(-2, 2), min_size=5, max_size=5),
    ends=st.tuples(st.sampled_from([0.0, -1.0, 0.5]), st.sampled_from([0.0, 1.0, -0.5])),
)
def test_relus_compute_the_straight_pieces(knots: list[float], heights: list[float], ends: tuple[float, float]) -> None:
    places = -1 + np.cumsum(knots)
    pieces = StraightCurve(tuple(places), tuple(heights[: len(places)]), *ends)
    if not any(ends) and np.ptp(pieces.values) == 0:
        return  # gives nothing but a constant
    x = np.linspace(-5, 9, 57)
    result, _ = forward(straight(network(curve("tanh"), len(x)), {"f": pieces}), x[None])
    np.testing.assert_allclose(result.numpy()[0], values(pieces, x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("relus", [1, 2, 3, 5])
def test_pieces_take_so_many_relus_and_more_of_them_err_less(name: str, relus: int) -> None:
    x = np.random.default_rng(0).normal(0, 2, 5000)
    least = 2 if name == "tanhshrink" else 1  # it goes on at both ends
    relus = max(relus, least)
    pieces, more = nearest(curve(name), x, relus), nearest(curve(name), x, relus + 2)
    network_of_pieces = straight(network(curve(name), 3), {"f": pieces})
    assert sum(isinstance(node, Relu) for node in network_of_pieces) <= relus
    wanted = np.interp(x, X, CURVES[name])
    errors = [float(np.mean((values(found, x) - wanted) ** 2)) for found in (pieces, more)]
    assert errors[1] < errors[0] < 0.1 * np.var(wanted)


def test_knots_lie_where_values_are() -> None:
    x = np.random.default_rng(0).normal(0, 0.1, 5000)
    pieces = nearest(curve("silu"), x, 3)
    assert np.abs(pieces.knots).max() < 1
    off = values(pieces, x) - np.interp(x, X, CURVES["silu"])
    assert np.sqrt(np.mean(off**2)) < 0.02 * np.std(x)


def test_beyond_what_was_seen_a_piece_goes_on() -> None:
    pieces = nearest(curve("silu"), np.random.default_rng(0).normal(0, 1, 5000), 2)
    assert pieces.after > 0.9


def test_constant_values_are_no_reason_to_fail() -> None:
    pieces = nearest(curve("silu"), np.full(10, 0.5), 2)
    assert values(pieces, np.array([0.5])) == pytest.approx(np.interp(0.5, X, CURVES["silu"]), abs=0.05)


def test_pieces_are_chosen_on_samples() -> None:
    ann = network(curve("tanh"), 4)
    found = straightened(ann, np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32), 2)
    assert list(found) == ["f"]
    assert curved(ann) == ("f",)
    assert not straightened(ann, np.zeros((1, 4), np.float32), 0)
    assert not curved(straight(ann, found))
    assert straight(ann, found).notes == ("f: 2 ReLUs in place of a curve",)


def test_a_curve_without_pieces_is_refused() -> None:
    with pytest.raises(UnsupportedLayer, match="f: a curved activation has no spiking counterpart; retrain with ReLU"):
        straight(network(curve("tanh"), 4), {})
