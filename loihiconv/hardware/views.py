"""Which neurons of a slice each pixel of the source sees, along one axis of a convolution.

Pixels that see the same taps of the kernel at the same places, relative to the first neuron they reach, can share one list of
synapses on a core: the list is stored once and each axon carries its own base. A *view* is such a pattern. Along one axis

    source pixel y reaches target row r through tap t   if   y = r * stride + t * dilation - padding

and views of images are pairs of views of their axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loihiconv.core.linear import Conv

Integers = NDArray[np.int64]
Interval = tuple[int, int]
"""First index and the one after the last."""


@dataclass(frozen=True)
class Axis:
    """One axis of a convolution: size of the source and how windows move over it."""

    size: int
    kernel: int
    stride: int
    dilation: int
    before: int

    def pixel(self, row: int, tap: int) -> int:
        """The source pixel that target ``row`` sees through ``tap``; outside [0, size) it is padding."""
        return row * self.stride + tap * self.dilation - self.before

    def reached_from(self, rows: Interval) -> tuple[int, ...]:
        """Source pixels that at least one of the target's rows sees, in order."""
        return tuple(sorted({y for r in range(*rows) for t in range(self.kernel) if 0 <= (y := self.pixel(r, t)) < self.size}))

    def targets(self, y: int, rows: Interval | None) -> tuple[tuple[int, int], ...]:
        """Pairs (tap, row) that pixel ``y`` reaches, within ``rows`` or anywhere."""
        pairs = []
        for tap in range(self.kernel):
            row, rest = divmod(y + self.before - tap * self.dilation, self.stride)
            if not rest and (rows is None or rows[0] <= row < rows[1]):
                pairs.append((tap, row))
        return tuple(pairs)


@dataclass(frozen=True)
class AxisViews:
    """Views of the source's pixels onto a slice, along one axis.

    Attributes
    ----------
    base : int array (pixels)
        First row that each pixel reaches.
    view : int array (pixels)
        Index of its view.
    taps : int array (views)
        Taps of each view.
    rows : (first, after last)
        All rows reached; wider than the slice where a halo is kept.
    """

    base: Integers
    view: Integers
    taps: Integers
    rows: Interval

    @property
    def signature(self) -> tuple[bytes, ...]:
        """Equal for slices that differ by a shift only."""
        return (self.base - self.rows[0]).tobytes(), self.view.tobytes(), self.taps.tobytes()


def axes(conv: Conv, source: tuple[int, ...]) -> tuple[Axis, Axis]:
    """Vertical and horizontal axis of a convolution over a source of shape (C, H, W)."""
    vertical, horizontal = (
        Axis(source[i + 1], conv.weight.shape[i + 2], conv.stride[i], conv.dilation[i], conv.padding[2 * i]) for i in (0, 1)
    )
    return vertical, horizontal


def look(axis: Axis, rows: Interval, *, halo: bool) -> AxisViews:
    """Views onto the target's ``rows``.

    Parameters
    ----------
    halo : bool
        Keep for each pixel all rows that it could reach, beyond the slice too. Those rows are compartments without any
        purpose, but pixels near the slice's border then share the lists of those within.
    """
    pixels = axis.reached_from(rows)
    reached = [axis.targets(y, None if halo else rows) for y in pixels]
    base = np.array([min(r for _, r in pairs) for pairs in reached], np.int64)
    patterns: dict[tuple[tuple[int, int], ...], int] = {}
    view = [patterns.setdefault(tuple((t, r - int(b)) for t, r in pairs), len(patterns)) for pairs, b in zip(reached, base, strict=True)]
    last = max((r for pairs in reached for _, r in pairs), default=rows[1] - 1)
    return AxisViews(
        base,
        np.array(view, np.int64),
        np.array([len(p) for p in patterns], np.int64),
        (min([rows[0], *base.tolist()]), max(rows[1], last + 1)),
    )
