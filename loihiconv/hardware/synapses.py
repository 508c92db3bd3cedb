"""One connection as the cores of its target hold it: who reaches whom, over how many axons.

What its lists take of a core's memory is in `loihiconv.hardware.demand`.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cache, cached_property
from math import prod

import numpy as np

from loihiconv.core.linear import Array, Conv, Sparse
from loihiconv.core.network import Connection, Network
from loihiconv.hardware.board import Board
from loihiconv.hardware.places import Geometry, Places
from loihiconv.hardware.region import Region, Regions, overlap
from loihiconv.hardware.views import Axis, Interval, axes

CHANNELS_PER_AXON = 512
"""Channels that one population axon can tell apart: 9 bits in nengo-loihi's narrower format."""


def geometry(network: Network, name: str) -> Geometry:
    """(C, H, W) of a population; vectors are channels, unless a convolution made them."""
    shape = network[name].shape
    for connection in network.incoming(name):
        if isinstance(connection.map, Conv):
            c, h, w = connection.map.output_shape(network[connection.source].shape)
            return c, h, w
    return (shape[0], shape[1], shape[2]) if len(shape) == 3 else (prod(shape), 1, 1)


def on_chip(network: Network, connection: Connection, board: Board) -> bool:
    """Whether the chip holds the synapses, or the host computes the sum (payloads on a board without graded spikes)."""
    source = network[connection.source]
    return not connection.on_host and (source.spiking or board.graded_spikes)


def is_shared(connection: Connection) -> bool:
    """Whether pixels share a kernel's weights; with an exponent, which Lava's Conv has not, all synapses are written out.

    See `loihiconv.lava.builder.all_synapses`.
    """
    return isinstance(connection.map, Conv) and (connection.on_host or not connection.weight_exp)


class Synapses:
    """One connection as its target's cores hold it."""

    def __init__(self, network: Network, connection: Connection, board: Board) -> None:
        self.connection, self.board = connection, board
        self.delay = network.delay(connection)
        self._whole = network.fixed_point
        self.source = geometry(network, connection.source)
        self.target = geometry(network, connection.target)
        c, h, w = self.source
        linear = connection.map
        fits = isinstance(linear, Conv) and linear.output_shape(network[connection.source].shape) == self.target
        self.kernel = linear if isinstance(linear, Conv) and fits else None
        self.conv = self.kernel if is_shared(connection) else None  # whose pixels share their weights
        self.places = Places(linear, self.source, self.target) if isinstance(linear, Sparse) else None
        self.population_axons = h * w > 1 and (self.conv is not None or c > 1)
        # caches of this object, not of the class
        self._reached = cache(lambda axis, rows: self.axes[axis].reached_from(rows))
        self.overlaps = cache(self._overlaps)
        self.copies = cache(self._copies)
        self.messages = cache(self._messages)
        self.out_slots = 2 if self.population_axons and board.generation == 1 else 1

    @cached_property
    def axes(self) -> tuple[Axis, Axis]:
        """Vertical and horizontal axis of a convolution."""
        assert self.kernel is not None  # asked of convolutions only
        return axes(self.kernel, self.source)

    def pixels(self, axis: int, target: Interval, source: Interval) -> int:
        """Rows (or columns) of the source within ``source`` that reach the target's within ``target``."""
        if self.conv is None:
            return source[1] - source[0]
        reached = self._reached(axis, target)
        return bisect_left(reached, source[1]) - bisect_left(reached, source[0])

    def seen(self, region: Region) -> Array:
        """Which neurons of the source reach a slice of the target: bool (C, H, W)."""
        if self.places is not None:
            return self._mask(self.places.lists((region.channels, region.rows, region.columns))[0])
        if self.conv is None:
            return np.ones(self.source, bool)
        seen = np.zeros(self.source, bool)
        rows, columns = self._reached(0, region.rows), self._reached(1, region.columns)
        seen[np.ix_(range(*self.source_channels(region.channels)), rows, columns)] = True
        return seen

    def _copies(self, axis: int, source: Interval, targets: tuple[Interval, ...]) -> int:
        """Rows (or columns) of a source's slice, counted once for each of the target's intervals that they reach."""
        return sum(self.pixels(axis, target, source) for target in targets)

    def _messages(self, source: Interval, targets: tuple[Interval, ...]) -> int:
        """Output axon slots per pixel of a source's slice, summed over the target's channel intervals that it reaches."""
        shared = [overlap(self.source_channels(target), source) for target in targets]
        if not self.population_axons:  # each channel that a slice needs is a neuron with an axon of its own
            return sum(self.entries(channels, 1) for channels in shared)
        return sum(map(bool, shared)) * self.entries(source[1] - source[0], 1)

    @cached_property
    def signed_weight_bits(self) -> int:
        """Bits that hold every weight, with a sign where signs mix; as many as the board has where weights are floats."""
        return self._bits(self._range)

    @cached_property
    def halved_weight_bits(self) -> int:
        """The same, with weights halved where signs mix (they are even then); formats have 8 bits in place of 7, as on Loihi 1."""
        lowest, highest = self._range
        bits = self._bits((lowest // 2, highest // 2) if lowest < 0 < highest else (lowest, highest))
        return self.board.weight_bits.value if bits == 7 else bits

    @cached_property
    def _range(self) -> tuple[int, int]:
        weight = self.connection.map.weight
        return (int(weight.min()), int(weight.max())) if weight.size and self._whole else (0, 0)

    def _bits(self, extent: tuple[int, int]) -> int:
        most = self.board.weight_bits.value
        if not self._whole:
            return most
        lowest, highest = extent
        magnitude = max(highest.bit_length(), (-lowest - 1).bit_length() if lowest < 0 < highest else abs(lowest).bit_length())
        return min(most, max(1, magnitude + (lowest < 0 < highest)))

    @property
    def weights(self) -> int:
        """Distinct weights."""
        return self._all_pairs if isinstance(self.connection.map, Conv) and not self.conv else self.connection.map.weight.size

    @property
    def _all_pairs(self) -> int:
        return prod(self.source) * prod(self.target)

    def source_channels(self, channels: Interval) -> Interval:
        """Channels of the source that reach those of the target."""
        if self.conv is None:
            return 0, self.source[0]
        per_out, per_in = self._per_group
        return channels[0] // per_out * per_in, ((channels[1] - 1) // per_out + 1) * per_in

    def _overlaps(self, channels: Interval) -> tuple[tuple[int, int], ...]:
        """Pairs (targets among ``channels``, source channels that have so many), over the groups of a convolution."""
        counts: dict[int, int] = {}
        per_out, per_in = self._per_group
        for group in range(channels[0] // per_out, (channels[1] - 1) // per_out + 1):
            targets = min(channels[1], (group + 1) * per_out) - max(channels[0], group * per_out)
            counts[targets] = counts.get(targets, 0) + per_in
        return tuple(sorted(counts.items()))

    @property
    def _per_group(self) -> tuple[int, int]:
        assert self.kernel is not None  # asked of convolutions only
        return self.target[0] // self.kernel.groups, self.source[0] // self.kernel.groups

    def axons(self, channels: Interval, pixels: int) -> int:
        """Input axons for so many source pixels."""
        first, last = self.source_channels(channels)
        return pixels * (-(-(last - first) // CHANNELS_PER_AXON) if self.population_axons else last - first)

    def _mask(self, sources: Array) -> Array:
        mask = np.zeros(self.source, bool)
        mask.reshape(-1)[sources] = True
        return mask

    def axons_of(self, sources: Array) -> int:
        """Input axons for some neurons of the source, given by their flat indices."""
        if not self.population_axons:
            return len(sources)
        _, channels = np.unique(sources % (self.source[1] * self.source[2]), return_counts=True)
        return int((-(-channels // CHANNELS_PER_AXON)).sum())

    def entries(self, channels: int, pixels: int) -> int:
        """Slots of output axons of a source slice, per slice that it reaches."""
        return pixels * self.out_slots * (-(-channels // CHANNELS_PER_AXON) if self.population_axons else channels)


def reach(synapses: Synapses, source: Region, targets: Regions) -> int:
    """Output axon slots that a source's slice needs for one connection, onto all slices of its target.

    Parameters
    ----------
    source : Region
    targets : (channel intervals, row intervals, column intervals)
        Between them, all slices of the target.
    """
    if synapses.places is not None:
        if not synapses.population_axons:
            box = tuple(slice(*interval) for interval in (source.channels, source.rows, source.columns))
            return int(synapses.places.neuron_copies(targets)[box].sum()) * synapses.out_slots
        copies = synapses.places.pixel_copies(targets, source.channels)[slice(*source.rows), slice(*source.columns)]
        return int(copies.sum()) * synapses.entries(source.channels[1] - source.channels[0], 1)
    rows, columns = synapses.copies(0, source.rows, targets[1]), synapses.copies(1, source.columns, targets[2])
    return synapses.messages(source.channels, targets[0]) * rows * columns
