"""All ways to cut one population into slices that fit a core; `loihiconv.hardware.partition` chooses among them.

Cores are counted in fractions, n // k + (n mod k) u for n slices of which k fit a core and that use a share u of it:
what is left of a core is filled with other populations when slices are packed (`loihiconv.hardware.packing`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import inf, prod

from loihiconv.hardware.demand import Demand, Layer, share
from loihiconv.hardware.region import Region, Regions
from loihiconv.hardware.views import Interval

SLICES_PER_BOUND = 24
"""Cuts finer than so many slices per core of the lower bound are not tried..."""
SLICES_AT_LEAST = 64
"""... but always those of at most so many slices."""
SLICES_OF_SPARSE = 4
"""The former where all slices of a cut have to be looked at, as those of sparse maps have."""


@dataclass(frozen=True, eq=False)
class Cut:
    """A population in slices.

    Attributes
    ----------
    parts : (channels, rows, columns)
    halo : bool
        Whether slices keep compartments around them that make the views at their border equal; see
        `loihiconv.hardware.demand`.
    regions : (channel intervals, row intervals, column intervals)
    worst : Demand
        Largest demand of any slice, per resource, without output axons.
    """

    parts: tuple[int, int, int]
    halo: bool
    regions: Regions
    worst: Demand

    @property
    def slices(self) -> int:
        """Number of slices."""
        return prod(self.parts)

    @property
    def kind(self) -> str:
        """How it is cut: "whole", "channels", "spatial" or "mixed"."""
        return kind_of(*self.parts)

    @property
    def pixels(self) -> int:
        """Pixels of the largest slice."""
        return prod(max(high - low for low, high in intervals) for intervals in self.regions[1:])

    def __iter__(self) -> Iterator[Region]:
        return (Region(c, r, w) for r, w, c in product(self.regions[1], self.regions[2], self.regions[0]))


def kind_of(channels: int, rows: int, columns: int) -> str:
    """The kind of a cut into so many parts: "whole", "channels", "spatial" or "mixed"."""
    space = rows * columns > 1
    return ("mixed" if space else "channels") if channels > 1 else ("spatial" if space else "whole")


def cores_in_fractions(slices: int, used: float) -> float:
    """Cores for n slices that take a share u of a core each: n // k + (n mod k) u, with k = floor(1 / u) to a core.

    Infinite where a slice needs more than one core.
    """
    if used > 1:
        return inf
    per_core = int(1 / used + 1e-9)
    return slices // per_core + slices % per_core * used


def intervals(size: int, parts: int) -> tuple[Interval, ...]:
    """``parts`` intervals of nearly equal length that cover [0, size)."""
    return tuple((size * i // parts, size * (i + 1) // parts) for i in range(parts))


def part_counts(size: int, *, few: bool = False) -> list[int]:
    """Numbers of parts worth trying: the smallest for each length of the longest part; ``few``: powers of two, and single ones."""
    if few:
        return [*(2**i for i in range((size - 1).bit_length())), size]
    return sorted({-(-size // length) for length in range(1, size + 1)})


def cuts(layer: Layer, bound: int) -> list[Cut]:
    """All cuts of a population whose slices fit a core.

    Parameters
    ----------
    layer : Layer
    bound : int
        Cores that the population needs at least; far finer cuts are left out.
    """
    board, (channels, height, width), few = layer.board, layer.shape, layer.irregular
    most = max(SLICES_AT_LEAST, (SLICES_OF_SPARSE if few else SLICES_PER_BOUND) * bound)
    capacity = board.neurons_placed.value // layer.per_neuron
    convolves = any(s.conv is not None for s in layer.synapses)
    found = []
    bound_of_lists = layer.least_words / board.synapse_memory_words.value
    fit = [parts for parts in part_counts(channels, few=few) if parts <= most and -(-channels // parts) <= capacity]
    by_channels = {parts: _channel_representatives(layer, parts) for parts in fit}
    for rows, columns in product(part_counts(height, few=few), part_counts(width, few=few)):
        for halo in (False, True) if convolves and board.generation == 1 else (False,):
            space = _representatives(layer, rows, 0, halo), _representatives(layer, columns, 1, halo)
            pixels = max(_length(layer.grid(r, 0, halo)) for r in space[0]) * max(_length(layer.grid(c, 1, halo)) for c in space[1])
            for parts, some in by_channels.items():
                size = -(-channels // parts)
                slices = parts * rows * columns
                if size * pixels > capacity or slices > most or slices < bound_of_lists:
                    continue
                worst = _worst(layer, some, *space, halo)
                if worst is not None:
                    regions = intervals(channels, parts), intervals(height, rows), intervals(width, columns)
                    found.append(Cut((parts, rows, columns), halo, regions, worst))
    return found


def _representatives(layer: Layer, parts: int, axis: int, halo: bool) -> list[Interval]:
    """One of all rows (or columns) that demand the same."""
    return list({layer.signature(i, axis, halo): i for i in intervals(layer.shape[axis + 1], parts)}.values())


def _channel_representatives(layer: Layer, parts: int) -> list[Interval]:
    """One of all channel intervals that demand the same."""
    if layer.irregular:
        return list(intervals(layer.shape[0], parts))
    convolutions = [s for s in layer.synapses if s.conv is not None]
    return list({(b - a, *(s.overlaps((a, b)) for s in convolutions)): (a, b) for a, b in intervals(layer.shape[0], parts)}.values())


def _worst(layer: Layer, channels: list[Interval], rows: list[Interval], columns: list[Interval], halo: bool) -> Demand | None:
    """Largest demand per resource, or None where a slice does not fit."""
    board, worst = layer.board, Demand()
    limit = board.synapse_words_per_axon
    for c, r, w in product(channels, rows, columns):
        d = layer.demand(Region(c, r, w), halo=halo)
        if share(d, board) > 1 or (limit is not None and d.longest > limit.value):
            return None
        worst = Demand(
            max(worst.compartments, d.compartments),
            max(worst.words, d.words),
            max(worst.axons_in, d.axons_in),
            0,
            max(worst.longest, d.longest),
        )
    return worst


def _length(interval: Interval) -> int:
    return interval[1] - interval[0]
