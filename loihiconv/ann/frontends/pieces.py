"""Functions of one value that are linear between knots: what comparing, selecting and multiplying make of an activation.

So ``where(x > 0, x, 0)`` is known to be a ReLU: the comparison is 0 up to the knot 0 and 1 after it, x is itself everywhere, and their
product is 0 and then x. In between a function may jump; what is left to neurons must not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loihiconv.core.linear import Array, Shape

_JUMP = 1e-5
"""Difference between both sides of a knot that rounding of constants to float32 may make, relative to what is added up there."""
_SAME = 1e-6
"""Distance of two knots, relative to them, that the same rounding may make of one."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """y = slope_k x + offset_k from knot k - 1, included, to knot k.

    Arrays have one axis more than what they are applied to, and broadcast to it: values may have knots and slopes of their own.

    Parameters
    ----------
    knots : array (K, ...)
        Ascending; infinite for values that have fewer than others.
    slopes, offsets : array (K + 1, ...)
    """

    knots: Array
    slopes: Array
    offsets: Array

    def __add__(self, other: Pieces) -> Pieces:
        a, b = _aligned(self, other)
        return Pieces(a.knots, a.slopes + b.slopes, a.offsets + b.offsets).simplified()

    def __neg__(self) -> Pieces:
        return Pieces(self.knots, -self.slopes, -self.offsets)

    def __sub__(self, other: Pieces) -> Pieces:
        return self + -other

    def times(self, other: Pieces) -> Pieces | None:
        """The product; None where both change with x at the same place, so that it is no line there."""
        a, b = _aligned(self, other)
        if np.any(np.where(_empty(a.knots), 0.0, a.slopes * b.slopes)):
            return None
        slopes = a.slopes * b.offsets + b.slopes * a.offsets
        return Pieces(a.knots, slopes, a.offsets * b.offsets).simplified()

    def after(self, inner: Pieces) -> Pieces:
        """X -> self(inner(x))."""
        left, right = _ends(inner.knots)
        with np.errstate(divide="ignore", invalid="ignore"):  # of pieces without a slope
            crossings = (self.knots[None] - inner.offsets[:, None]) / inner.slopes[:, None]
        inside = (crossings > left[:, None]) & (crossings < right[:, None])
        crossings = np.where(inside, crossings, np.inf)
        refined = inner._refined(crossings.reshape(crossings.shape[0] * crossings.shape[1], *crossings.shape[2:]))
        values = refined.slopes * _within(refined.knots) + refined.offsets
        index = (self.knots[None] <= values[:, None]).sum(axis=1)
        slopes, offsets = _taken(self.slopes, index), _taken(self.offsets, index)
        return Pieces(refined.knots, slopes * refined.slopes, slopes * refined.offsets + offsets).simplified()

    def larger(self, other: Pieces) -> Pieces:
        """X -> max(self(x), other(x))."""
        return self + bent(0.0, 1.0, self.knots.ndim - 1).after(other - self)

    @property
    def jump(self) -> tuple[float, float, float] | None:
        """The first place where it jumps, and the values on either side; None where it is continuous."""
        left, right = self._beside()
        terms = np.abs(self._at_knots(self.slopes[:-1])) + np.abs(self.offsets[:-1]) + np.abs(self._at_knots(self.slopes[1:]))
        jumps = np.abs(right - left) > _JUMP * (terms + np.abs(self.offsets[1:]))
        if not jumps.any():
            return None
        knots, left, right = np.broadcast_arrays(self.knots, left, right)
        first = tuple(np.argwhere(np.broadcast_to(jumps, knots.shape))[0])
        return float(knots[first]), float(left[first]), float(right[first])

    @property
    def is_binary(self) -> bool:
        """Whether it is 0 or 1 everywhere."""
        return not np.any(self.slopes) and bool(np.isin(self.offsets, (0.0, 1.0)).all())

    def at_knots(self) -> Array:
        """Values at the knots, of a continuous function; 0 at those that are infinite."""
        return self._beside()[0]

    def simplified(self) -> Pieces:
        """Without empty pieces, and without knots where nothing changes; values that have fewer knots than others have infinite ones."""
        if not len(self.knots):
            return self
        shape = np.broadcast_shapes(self.knots.shape[1:], self.slopes.shape[1:], self.offsets.shape[1:])
        wide = Pieces(*(np.broadcast_to(array, (len(array), *shape)) for array in (self.knots, self.slopes, self.offsets)))
        full = wide._without(_empty(wide.knots)[1:])
        return full._without((full.slopes[1:] == full.slopes[:-1]) & (full.offsets[1:] == full.offsets[:-1]))

    def _without(self, dropped: Array) -> Pieces:
        """Without knots, for each value by itself, and without the piece after each of them."""
        knots = np.where(dropped, np.inf, self.knots)
        order = np.argsort(knots, axis=0, kind="stable")
        knots = np.take_along_axis(knots, order, axis=0)
        number = np.isfinite(knots).sum(axis=0)
        after = np.concatenate([np.zeros((1, *number.shape), order.dtype), order + 1])
        last = np.minimum(np.arange(len(after)).reshape(-1, *(1,) * number.ndim), number)
        pieces = np.take_along_axis(after, last, axis=0)[: number.max(initial=0) + 1]
        return Pieces(knots[: len(pieces) - 1], _taken(self.slopes, pieces), _taken(self.offsets, pieces))

    def _beside(self) -> tuple[Array, Array]:
        """Values before and after each knot."""
        before, after = (self._at_knots(slopes) for slopes in (self.slopes[:-1], self.slopes[1:]))
        finite = np.isfinite(self.knots)
        return np.where(finite, before + self.offsets[:-1], 0.0), np.where(finite, after + self.offsets[1:], 0.0)

    def _at_knots(self, slopes: Array) -> Array:
        result: Array = slopes * np.where(np.isfinite(self.knots), self.knots, 0.0)
        return result

    def _refined(self, knots: Array) -> Pieces:
        """The same function with more knots, which need not be in order."""
        shape = np.broadcast_shapes(self.knots.shape[1:], self.slopes.shape[1:], knots.shape[1:])
        both = np.concatenate([np.broadcast_to(k, (len(k), *shape)) for k in (self.knots, knots)])
        ordered = np.sort(both, axis=0)
        index = (self.knots[None] <= _ends(ordered)[0][:, None]).sum(axis=1)
        return Pieces(ordered, _taken(self.slopes, index), _taken(self.offsets, index))


def line(slope: Array | float, offset: Array | float, rank: int) -> Pieces:
    """X -> slope x + offset, for values of so many axes."""
    none = np.empty((0, *(1,) * rank))
    return Pieces(none, _ranked(slope, rank)[None], _ranked(offset, rank)[None])


def bent(below: Array | float, above: Array | float, rank: int) -> Pieces:
    """X -> above x where x > 0, else below x."""
    slopes = np.stack(np.broadcast_arrays(_ranked(below, rank), _ranked(above, rank)))
    return Pieces(np.zeros((1, *(1,) * rank)), slopes, np.zeros((2, *(1,) * rank)))


def clamped(low: Array | float, high: Array | float, rank: int) -> Pieces:
    """X -> min(max(x, low), high)."""
    x = line(1.0, 0.0, rank)
    ends = [_ranked(np.where(np.isfinite(end), end, 0.0), rank) for end in (low, high)]
    raised = x.larger(Pieces(x.knots, np.zeros_like(x.slopes), ends[0][None])) if np.isfinite(low).all() else x
    if not np.isfinite(high).all():
        return raised
    return -(-raised).larger(Pieces(x.knots, np.zeros_like(x.slopes), -ends[1][None]))


def positive(inner: Pieces, *, strict: bool) -> Pieces:
    """X -> 1 where inner(x) > 0 (``strict``), or inner(x) >= 0, else 0, also where it is 0 over a whole range."""
    rank = inner.knots.ndim - 1
    ones = (1,) * rank
    step = Pieces(np.zeros((1, *ones)), np.zeros((2, *ones)), np.array([0.0, 1.0]).reshape(2, *ones))
    return line(0.0, 1.0, rank) - step.after(-inner) if strict else step.after(inner)


def _ranked(values: Array | float, rank: int) -> Array:
    array: Array = np.asarray(values, np.float64)
    return array.reshape((1,) * (rank - array.ndim) + array.shape)


def _aligned(a: Pieces, b: Pieces) -> tuple[Pieces, Pieces]:
    """Both with the knots of both."""
    return a._refined(b.knots), b._refined(a.knots)


def _taken(values: Array, index: Array) -> Array:
    """values[index] along the first axis, for each of the others by itself."""
    shape: Shape = np.broadcast_shapes(values.shape[1:], index.shape[1:])
    many, where = (np.broadcast_to(array, (len(array), *shape)) for array in (values, index))
    taken: Array = np.take_along_axis(many, where, axis=0)
    return taken


def _ends(knots: Array) -> tuple[Array, Array]:
    """Where each piece begins and ends."""
    edge = np.full((1, *knots.shape[1:]), np.inf)
    return np.concatenate([-edge, knots]), np.concatenate([knots, edge])


def _empty(knots: Array) -> Array:
    """Which pieces are none: those after an infinite knot, or between two that rounding has told apart."""
    left, right = _ends(knots)
    inner = np.isfinite(left) & np.isfinite(right)
    width = np.subtract(right, left, out=np.ones_like(left), where=inner)
    empty: Array = np.isposinf(left) | (inner & (width <= _SAME * np.abs(np.where(inner, right, 0.0))))
    return empty


def _within(knots: Array) -> Array:
    """A place within each piece that is not empty."""
    left, right = _ends(knots)
    first, last = (np.where(np.isfinite(end), end, 0.0) for end in (left, right))
    low = np.where(np.isfinite(left), left, last - 1 - np.abs(last))
    high = np.where(np.isfinite(right), right, first + 1 + np.abs(first))
    middle: Array = (low + high) / 2
    return middle
