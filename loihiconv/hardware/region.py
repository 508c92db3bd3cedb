"""Boxes of neurons: the parts that populations are cut into."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from loihiconv.hardware.views import Interval

Regions = tuple[tuple[Interval, ...], tuple[Interval, ...], tuple[Interval, ...]]
"""Intervals of channels, rows and columns, whose products are a population's slices."""


@dataclass(frozen=True)
class Region:
    """A box of neurons of one population."""

    channels: Interval
    rows: Interval
    columns: Interval

    @property
    def neurons(self) -> int:
        """Neurons inside."""
        return prod(high - low for low, high in (self.channels, self.rows, self.columns))


SMALLEST = Region((0, 1), (0, 1), (0, 1))
"""One neuron."""


def overlap(a: Interval, b: Interval) -> int:
    """How many indices two intervals share."""
    return max(0, min(a[1], b[1]) - max(a[0], b[0]))
