"""Functions of one value between knots, against the same expressions computed by numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loihiconv.ann.frontends.pieces import Pieces, bent, clamped, line, positive
from loihiconv.core.linear import Array

X = np.linspace(-4, 4, 1601)[:, None] + 1e-4  # beside all knots
CONSTANTS = st.lists(st.integers(-6, 6).map(lambda n: n / 2), min_size=3, max_size=3).map(np.array)  # one for each of three values
Expression: TypeAlias = "tuple[Pieces, Callable[[Array], Array]]"


def values(function: Pieces, x: Array = X) -> Array:
    """What a function is at each place."""
    x = np.broadcast_to(x, (len(x), 3))
    index = (function.knots[None] <= x[:, None]).sum(axis=1)
    pieces = (np.broadcast_to(p, (len(p), 3)) for p in (function.slopes, function.offsets))
    slopes, offsets = (np.take_along_axis(p, np.broadcast_to(index, x.shape), axis=0) for p in pieces)
    return np.asarray(slopes * x + offsets)


def selected(condition: Pieces, function: Pieces) -> Pieces:
    """The function where a condition holds, else 0."""
    product = condition.times(function)
    assert condition.is_binary
    assert product is not None
    return product


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> Expression:
    """A function, and what it was made of as numpy computes it."""
    if depth == 0:
        return line(1.0, 0.0, 1), lambda x: x
    f, g = draw(expressions(depth - 1))
    a, b, (other, h) = draw(CONSTANTS), draw(CONSTANTS), draw(expressions(depth - 1))
    match draw(st.sampled_from(["affine", "leaky", "clamp", "difference", "larger", "above", "from"])):
        case "affine":
            return line(a, b, 1).after(f), lambda x: a * g(x) + b
        case "leaky":
            return bent(a, 1.0, 1).after(f), lambda x: np.where(g(x) > 0, 1.0, a) * g(x)
        case "clamp":
            low, high = np.minimum(a, b), np.maximum(a, b)
            return clamped(low, high, 1).after(f), lambda x: np.clip(g(x), low, high)
        case "difference":
            return f - other, lambda x: g(x) - h(x)
        case "larger":
            return f.larger(other), lambda x: np.maximum(g(x), h(x))
        case "above":
            return selected(positive(other, strict=True), f), lambda x: np.where(h(x) > 0, g(x), 0.0)
    return selected(positive(other, strict=False), f), lambda x: np.where(h(x) >= 0, g(x), 0.0)


@given(expressions())
def test_functions_are_what_they_are_made_of(expression: Expression) -> None:
    function, expected = expression
    near = (np.abs(X[:, None] - function.knots[None]) < 1e-9).any(axis=1)  # numbers may be rounded to the other side of a jump
    right = np.isclose(values(function), np.broadcast_to(expected(np.broadcast_to(X, (len(X), 3))), (len(X), 3)), rtol=1e-9, atol=1e-9)
    assert (right | near).all()


@given(expressions())
def test_a_jump_is_where_both_sides_differ(expression: Expression) -> None:
    function, _ = expression
    knots = np.unique(function.knots[np.isfinite(function.knots)])
    steps = [np.abs(values(function, np.full((1, 1), k + 1e-9)) - values(function, np.full((1, 1), k - 1e-9))).max() for k in knots]
    assert (function.jump is not None) == any(step > 1e-3 for step in steps)
    if function.jump is not None:
        place, before, after = function.jump
        assert abs(after - before) > 1e-6
        assert place in knots


def test_a_product_of_two_that_change_is_no_line() -> None:
    x = line(1.0, 0.0, 1)
    assert x.times(x) is None
    assert bent(0.0, 1.0, 1).times(bent(1.0, 0.0, 1)) is not None  # one of them is 0 on either side


def test_knots_that_rounding_tells_apart_are_one() -> None:
    between = selected(positive(line(1.0, -0.1, 1), strict=True), line(0.0, 1.0, 1) - positive(line(3.0, -0.1 - 0.2, 1), strict=True))
    assert len(between.knots) == 0
