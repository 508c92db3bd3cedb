"""What a slice of a population demands of the core that it lies on.

The model, and what it rests on:

- *Compartments.* A neuron takes ``compartments_per_neuron`` of them if it resets by subtraction (NxTF, Rueckauer et al. 2021,
  arXiv:2101.04261: two on Loihi 1), one if it resets to zero or never spikes. Neurons lie channel by channel, so
  that the targets of a pixel move by one base only.
- *Convolutions* use population axons, as NxTF and nengo-loihi do: one input axon per source pixel, whatever core it comes
  from; a spike's payload selects the channel's list. Pixels with the same view share their lists (`loihiconv.hardware.views`), so
  shared weights are stored once per core and view. A base reaches ``axon_base_range`` compartments only; axons beyond use
  copies of the lists with larger indices.
- *A halo* of compartments around the slice, which drive nothing, makes the views at its border equal to those within. It
  trades compartments for memory: a 4x4 image under a padded 3x3 kernel has 9 views of 49 taps in all, with a halo 1 of 9.
- *Dense maps*: one list per source neuron. From images they use population axons too (one per pixel), from vectors discrete ones.
- *Sparse maps*: one list per source neuron and slice with a synapse between them, of those synapses alone; axons as for dense ones, and
  only where there is a synapse.
- *Output axons*: one entry per source pixel (or neuron) and slice that it reaches; entries of population axons take two slots
  (nengo-loihi, ``Axon.slots_per_axon``, its 32-bit format).

Loihi 2: axons are counted alike, with one slot per entry, and a kernel is stored once per slice. None of it is published.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cache, cached_property
from math import prod

import numpy as np

from loihiconv.core.linear import Array, Conv, Sparse
from loihiconv.core.network import Connection, Input, Network, Population
from loihiconv.hardware.board import Board
from loihiconv.hardware.places import Geometry, Places
from loihiconv.hardware.synapse_memory import delay_bits, index_bits, kernel_words, list_words
from loihiconv.hardware.views import Axis, AxisViews, Interval, axes, look

CHANNELS_PER_AXON = 512
"""Channels that one population axon can tell apart: 9 bits in nengo-loihi's narrower format."""
Regions = tuple[tuple[Interval, ...], tuple[Interval, ...], tuple[Interval, ...]]
"""Intervals of channels, rows and columns, whose products are a population's slices."""
EVERYTHING = 2**30


@dataclass(frozen=True)
class Demand:
    """Resources of one core.

    Attributes
    ----------
    compartments, words, axons_in, axons_out : int
        ``words`` of synapse memory; ``axons_out`` in slots.
    longest : int
        Words of the longest list, all of which one spike reads.
    """

    compartments: int = 0
    words: int = 0
    axons_in: int = 0
    axons_out: int = 0
    longest: int = 0

    def __add__(self, other: Demand) -> Demand:
        return Demand(
            self.compartments + other.compartments,
            self.words + other.words,
            self.axons_in + other.axons_in,
            self.axons_out + other.axons_out,
            max(self.longest, other.longest),
        )


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


def placed(network: Network) -> list[Population]:
    """Populations that take neurons on cores: all but inputs whose payloads or random spikes the host sends."""
    return [p for p in network.populations if not isinstance(p, Input) or p.has_potential]


class Synapses:
    """One connection as its target's cores hold it."""

    def __init__(self, network: Network, connection: Connection, board: Board) -> None:
        self.connection, self.board = connection, board
        self.delay = network.delay(connection)
        self.source = geometry(network, connection.source)
        self.target = geometry(network, connection.target)
        c, h, w = self.source
        linear = connection.map
        # With an exponent, which Lava's Conv has not, all synapses are written out (see `loihiconv.lava.builder.all_synapses`).
        shared = isinstance(linear, Conv) and (connection.on_host or not connection.weight_exp)
        fits = shared and linear.output_shape(network[connection.source].shape) == self.target
        self.conv = linear if isinstance(linear, Conv) and fits else None
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
        assert self.conv is not None  # asked of convolutions only
        return axes(self.conv, self.source)

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
        assert self.conv is not None  # asked of convolutions only
        return self.target[0] // self.conv.groups, self.source[0] // self.conv.groups

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


class Layer:
    """A population with all that comes into it: demands of its slices.

    Parameters
    ----------
    network : Network
    name : str
    board : Board
    """

    def __init__(self, network: Network, name: str, board: Board) -> None:
        self.name, self.board, self.shape = name, board, geometry(network, name)
        self.per_neuron = compartments_per_neuron(network[name], board)
        self.synapses = tuple(Synapses(network, c, board) for c in network.incoming(name) if on_chip(network, c, board))
        self.consumers = tuple(Synapses(network, c, board) for c in network.outgoing(name))
        self.neurons = prod(self.shape)
        limit = board.axon_base_range
        self._base_range = limit.value if limit is not None else EVERYTHING
        # caches of this object, not of the class
        self.look = cache(self._look)
        self._footprint = cache(self._view_table)
        self._words = cache(self._list_words)
        self.grid = cache(self._grid)

    def _look(self, index: int, axis: int, rows: Interval, halo: bool) -> AxisViews:
        return look(self.synapses[index].axes[axis], rows, halo=halo)

    def _grid(self, rows: Interval, axis: int, halo: bool) -> Interval:
        """Rows (or columns) that a slice keeps, its halo included."""
        if not halo:
            return rows
        views = [self.look(i, axis, rows, True).rows for i, s in enumerate(self.synapses) if s.conv is not None]
        return min([rows[0], *(v[0] for v in views)]), max([rows[1], *(v[1] for v in views)])

    def signature(self, rows: Interval, axis: int, halo: bool) -> object:
        """Equal for rows (or columns) that demand the same."""
        grid = self.grid(rows, axis, halo)
        looks = [self.look(i, axis, rows, halo) for i, s in enumerate(self.synapses) if s.conv is not None]
        own = rows if self.irregular else None
        return rows[1] - rows[0], grid[1] - grid[0], own, tuple((*v.signature, v.rows[0] - grid[0]) for v in looks)

    @property
    def least_words(self) -> float:
        """Words that the synapses of sparse maps take at least on all cores together."""
        bits = self.board.weight_bits.value + (index_bits(self.board.neurons_per_core.value) if self.board.generation == 1 else 0)
        return sum(s.weights for s in self.synapses if s.places is not None) * bits / self.board.synapse_word_bits.value

    @property
    def irregular(self) -> bool:
        """Whether slices of the same size and views may differ in what they demand, as sparse maps know no views."""
        return any(s.places is not None for s in self.synapses)

    def demand(self, region: Region, *, halo: bool) -> Demand:
        """Compartments, memory and input axons of one slice; output axons depend on others and are left 0."""
        height, width = (high - low for low, high in (self.grid(region.rows, 0, halo), self.grid(region.columns, 1, halo)))
        channels = region.channels[1] - region.channels[0]
        compartments = channels * height * width * self.per_neuron
        words = axons = longest = 0
        for index, synapses in enumerate(self.synapses):
            if synapses.places is not None:
                w, a, most = self._sparse(index, region)
            else:
                w, a, most = self._convolution(index, region, halo) if synapses.conv else self._dense(index, region)
            words, axons, longest = words + w, axons + a, max(longest, most)
        return Demand(compartments, words, axons, 0, longest)

    def _dense(self, index: int, region: Region) -> tuple[int, int, int]:
        """One list per source neuron, over all neurons of the slice."""
        synapses = self.synapses[index]
        c, h, w = synapses.source
        axons = synapses.axons(region.channels, h * w)
        if self.board.generation > 1:
            return self._kernel(c * h * w * region.neurons), axons, 0
        words = self._words(index, region.neurons)
        return words * c * h * w, axons, words

    def _sparse(self, index: int, region: Region) -> tuple[int, int, int]:
        """One list per source neuron that has a synapse into the slice."""
        synapses = self.synapses[index]
        assert synapses.places is not None  # the caller asked
        sources, synapses_each = synapses.places.lists((region.channels, region.rows, region.columns))
        axons = synapses.axons_of(sources)
        if self.board.generation > 1:
            return self._kernel(int(synapses_each.sum())), axons, 0
        lengths, counts = np.unique(synapses_each, return_counts=True)
        words = [self._words(index, length) for length in lengths.tolist()]
        return sum(w * count for w, count in zip(words, counts.tolist(), strict=True)), axons, max(words, default=0)

    def _convolution(self, index: int, region: Region, halo: bool) -> tuple[int, int, int]:
        """One list per source channel and view."""
        synapses = self.synapses[index]
        assert synapses.conv is not None  # the caller asked
        overlaps = synapses.overlaps(region.channels)
        views, pixels = self._footprint(index, region.rows, region.columns, halo)
        axons = synapses.axons(region.channels, pixels)
        if not pixels:
            return 0, 0, 0
        if self.board.generation > 1:
            return self._kernel(sum(o * n for o, n in overlaps) * prod(synapses.conv.weight.shape[2:])), axons, 0
        words = sum(self._words(index, taps * targets) * count * n for targets, n in overlaps for taps, count in views)
        return words, axons, self._words(index, max(taps for taps, _ in views) * max(targets for targets, _ in overlaps))

    def _view_table(self, index: int, rows: Interval, columns: Interval, halo: bool) -> tuple[tuple[tuple[int, int], ...], int]:
        """Pairs (taps, distinct lists with so many) for one target channel, and how many source pixels reach the slice."""
        vertical, horizontal = self.look(index, 0, rows, halo), self.look(index, 1, columns, halo)
        top, (left, right) = self.grid(rows, 0, halo)[0], self.grid(columns, 1, halo)
        base = ((vertical.base - top)[:, None] * (right - left) + (horizontal.base - left)) * self.per_neuron
        copies = base // self._base_range
        view = vertical.view[:, None] * len(horizontal.taps) + horizontal.view
        distinct = np.unique(view * (int(copies.max(initial=0)) + 1) + copies) // (int(copies.max(initial=0)) + 1)
        v, h = np.divmod(distinct, max(1, len(horizontal.taps)))
        taps, lists = np.unique(vertical.taps[v] * horizontal.taps[h], return_counts=True)
        return tuple(zip(taps.tolist(), lists.tolist(), strict=True)), base.size

    def _list_words(self, index: int, synapses: int) -> int:
        """Words of one list of a connection."""
        entry = self.board.weight_bits.value + delay_bits(self.synapses[index].delay) + index_bits(self.board.neurons_per_core.value)
        return list_words(synapses, entry, self.board.synapse_word_bits.value)

    def _kernel(self, weights: int) -> int:
        return kernel_words(weights, weight_bits=self.board.weight_bits.value, word_bits=self.board.synapse_word_bits.value)


def compartments_per_neuron(population: Population, board: Board) -> int:
    """Compartments of one neuron: more than one only where it resets by subtraction."""
    return board.compartments_per_neuron.value if population.resets == "subtract" else 1


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


def overlap(a: Interval, b: Interval) -> int:
    """How many indices two intervals share."""
    return max(0, min(a[1], b[1]) - max(a[0], b[0]))
