"""How Intel's compiler cuts populations into cores: a rule read off the tables that it printed.

The compiler is not public. Notebooks of lava-dl show its tables, with the weights that it was given: PilotNet as an SDNN and as an SNN, the
Oxford network, an MNIST perceptron and YOLO-KP. ``tests/hardware/tables.py`` has them; the rule below gives the cores of every row.

- *No core is shared.* Each core holds neurons of one population.
- *Images* (what a convolution feeds, and inputs) are cut into boxes of w columns and h rows of all channels: w a power of two and h the
  height, halved some times, with w h C <= 4095; those that make the fewest boxes, and of several the widest that is no wider than high.
  Where kernels need more memory than a core has, channels are halved and w is doubled, as often as it takes.
- *Vectors* are cut into pieces of at most 255 neurons, and a piece whose synapses need more memory than a core has into as many equal
  parts as that is times too much, until they fit.
- *Memory* is words of 64 bits. A convolution has a list of its target channels' weights per tap and source channel, other maps have one per
  source neuron. An entry of the latter holds the weight, halved where signs mix and in 8 bits where it takes 7, and 12 bits more. A list
  holds 20 bits besides (2 to 22 would give the same tables); those of convolutions that fill whole blocks of 64 do without.

No table shows populations with several inputs, whose lists are added up here, nor synapses that are written out: those of sparse maps, of
skips, which become Lava's ``DelaySparse``, and of convolutions with a weight exponent. They are taken to have a list per source neuron, as
dense ones have. Weights of float networks count 8 bits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

from loihiconv.hardware.board import Board
from loihiconv.hardware.board_fields import Compiler
from loihiconv.hardware.demand import Demand, Layer
from loihiconv.hardware.region import Region, Regions
from loihiconv.hardware.synapse_memory import BLOCK_SYNAPSES, delay_bits
from loihiconv.hardware.synapses import Synapses
from loihiconv.hardware.views import Interval


@dataclass(frozen=True)
class Tile:
    """Columns, rows and channels of a box; columns may be more than the image has."""

    width: int
    height: int
    channels: int

    @property
    def neurons(self) -> int:
        """Neurons that it counts for."""
        return self.width * self.height * self.channels


class Compiled:
    """One population as the compiler cuts it.

    Parameters
    ----------
    layer : Layer
    compiler : Compiler
        Of the layer's board.
    """

    def __init__(self, layer: Layer, compiler: Compiler) -> None:
        self.layer, self.compiler = layer, compiler
        self.shape = layer.shape

    @property
    def board(self) -> Board:
        """The board."""
        return self.layer.board

    @cached_property
    def regions(self) -> Regions | None:
        """Intervals of channels, rows and columns, whose products are the slices; None where not even one neuron fits a core."""
        _, height, width = self.shape
        if height * width == 1 and not any(s.conv for s in self.layer.synapses):
            channels = self._pieces()
            return None if channels is None else (channels, ((0, 1),), ((0, 1),))
        tile = self._tile()
        return None if tile is None else self._boxes(tile)

    def demand(self, region: Region) -> Demand:
        """Neurons, words and input axons of one slice; output axons depend on others and are left 0."""
        words = axons = 0
        for synapses in self.layer.synapses:
            more_words, more_axons = self._lists(synapses, region)
            words, axons = words + more_words, axons + more_axons
        return Demand(region.neurons, words, axons)

    def _lists(self, synapses: Synapses, region: Region) -> tuple[int, int]:
        """Words of one connection's lists, and its input axons: one for a convolution, as in all tables."""
        if synapses.places is not None:
            _, counts = synapses.places.lists((region.channels, region.rows, region.columns))
            return sum(self._list(synapses, count) for count in counts.tolist()), len(counts)
        if synapses.kernel is None:
            sources = prod(synapses.source)
            return sources * self._list(synapses, region.neurons), sources
        if is_written_out(synapses):
            return self._written_out(synapses, region)
        taps = int(prod(synapses.kernel.weight.shape[2:]))
        return taps * sum(number * self._kernel(synapses, targets) for targets, number in synapses.overlaps(region.channels)), 1

    def _written_out(self, synapses: Synapses, region: Region) -> tuple[int, int]:
        """The same of a convolution without shared weights: a list per source neuron that reaches the slice."""
        down, across = (
            Counter(len(axis.targets(y, rows)) for y in axis.reached_from(rows))
            for axis, rows in zip(synapses.axes, (region.rows, region.columns), strict=True)
        )
        words = axons = 0
        for (a, high), (b, wide), (targets, sources) in product(down.items(), across.items(), synapses.overlaps(region.channels)):
            words += high * wide * sources * self._list(synapses, a * b * targets)
            axons += high * wide * sources
        return words, axons

    def _list(self, synapses: Synapses, entries: int) -> int:
        """Words of a list that no convolution reads."""
        entry = self.compiler.index_bits.value + synapses.halved_weight_bits + delay_bits(synapses.delay)
        return -(-(entries * entry + self.compiler.header_bits.value) // self.board.synapse_word_bits.value)

    def _kernel(self, synapses: Synapses, entries: int) -> int:
        """Words of a list of weights of one tap and source channel."""
        header = self.compiler.header_bits.value if entries % BLOCK_SYNAPSES else 0
        return -(-(entries * synapses.signed_weight_bits + header) // self.board.synapse_word_bits.value)

    def _fits(self, demand: Demand) -> bool:
        return demand.words <= self.board.synapse_memory_words.value and demand.axons_in <= self.board.input_axons_per_core.value

    def _pieces(self) -> tuple[Interval, ...] | None:
        """The parts of a vector."""
        neurons, most = self.shape[0], min(self.compiler.dense_neurons_per_core.value, self.compiler.neurons_per_core.value)
        found: list[Interval] = []
        for low in range(0, neurons, most):
            parts = self._parts(low, min(neurons, low + most))
            if parts is None:
                return None
            found += parts
        return tuple(found)

    def _parts(self, low: int, high: int) -> list[Interval] | None:
        """A piece of a vector in as many parts as its memory takes."""
        limit, parts = self.board.synapse_memory_words.value, 1
        while True:
            size = -(-(high - low) // parts)
            cut = _steps(low, high, size)
            demands = [self.demand(Region(channels, (0, 1), (0, 1))) for channels in (cut if self.layer.irregular else cut[:1])]
            words = max(d.words for d in demands)
            if all(map(self._fits, demands)):
                return cut
            if size == 1 or words <= limit:
                return None
            parts = min(high - low, parts * -(-words // limit))

    def _tile(self) -> Tile | None:
        """The box of an image."""
        tile = min(self._tiles(), key=self._price)
        worst = self._worst(tile)
        while worst.words > self.board.synapse_memory_words.value:
            smaller = next(((t, d) for t in self._halves(tile) if (d := self._worst(t)).words < worst.words), None)
            if smaller is None:
                return None
            tile, worst = smaller
        return tile if self._fits(worst) else None

    def _tiles(self) -> Iterator[Tile]:
        """Boxes of as many channels as a core has neurons for."""
        channels, height, width = self.shape
        most = self.compiler.neurons_per_core.value
        while channels > most:
            channels = -(-channels // 2)
        for columns in (2**i for i in range((width - 1).bit_length() + 1)):
            for rows in _halvings(height):
                if (tile := Tile(columns, rows, channels)).neurons <= most:
                    yield tile

    def _price(self, tile: Tile) -> tuple[int, bool, int]:
        """Smallest for the fewest boxes, then for the widest that is no wider than high, then for the narrowest."""
        wide = tile.width > tile.height
        return prod(map(len, self._boxes(tile))), wide, tile.width if wide else -tile.width

    def _halves(self, tile: Tile) -> Iterator[Tile]:
        """Smaller boxes, in the order in which they are tried."""
        w, h, c = tile.width, tile.height, tile.channels
        half = -(-c // 2)
        if c > 1:
            if w < self.shape[2] and 2 * w * h * half <= self.compiler.neurons_per_core.value:
                yield Tile(2 * w, h, half)
            yield Tile(w, h, half)
        if w > 1:
            yield Tile(w // 2, h, c)
        if h > 1:
            yield Tile(w, -(-h // 2), c)

    def _boxes(self, tile: Tile) -> Regions:
        channels, height, width = self.shape
        return tuple(_steps(0, channels, tile.channels)), tuple(_steps(0, height, tile.height)), tuple(_steps(0, width, tile.width))

    def _worst(self, tile: Tile) -> Demand:
        """Most words and input axons of any box; where no synapses are written out, only its channels matter."""
        channels, rows, columns = self._boxes(tile)
        if not any(map(is_written_out, self.layer.synapses)):
            rows, columns = rows[:1], columns[:1]
        demands = [self.demand(Region(c, r, w)) for c, r, w in product(channels, rows, columns)]
        return Demand(0, max(d.words for d in demands), max(d.axons_in for d in demands))


def is_written_out(synapses: Synapses) -> bool:
    """Whether an image's synapses are stored one by one: of sparse maps, and of convolutions that wait or have an exponent."""
    return synapses.places is not None or (synapses.kernel is not None and (synapses.conv is None or synapses.delay > 0))


def _steps(low: int, high: int, size: int) -> list[Interval]:
    """Intervals of one size, the last of what is left."""
    return [(start, min(high, start + size)) for start in range(low, high, size)]


def _halvings(size: int) -> Iterator[int]:
    """A size, and what halving it again and again, rounded up, leaves."""
    yield size
    while size > 1:
        size = -(-size // 2)
        yield size
