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

from dataclasses import dataclass
from functools import cache
from math import prod

import numpy as np

from loihiconv.core.network import Input, Network, Population
from loihiconv.hardware.board import Board
from loihiconv.hardware.region import Region
from loihiconv.hardware.synapse_memory import delay_bits, index_bits, kernel_words, list_words
from loihiconv.hardware.synapses import Synapses, geometry, on_chip
from loihiconv.hardware.views import AxisViews, Interval, look

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


def share(demand: Demand, board: Board, axons_out: int = 0) -> float:
    """Largest share of a core that a demand takes, over all resources."""
    return max(
        demand.compartments / board.neurons_placed.value,
        demand.words / board.synapse_memory_words.value,
        demand.axons_in / board.input_axons_per_core.value,
        (demand.axons_out + axons_out) / board.output_axons_per_core.value,
    )


def placed(network: Network) -> list[Population]:
    """Populations that take neurons on cores: all but inputs whose payloads or random spikes the host sends."""
    return [p for p in network.populations if not isinstance(p, Input) or p.has_potential]


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
