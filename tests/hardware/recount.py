"""What a placement uses, counted again neuron by neuron and synapse by synapse, with none of the library's geometry.

Slow and literal: every list of synapses of every core is written out, equal ones are merged, and sizes are added up.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from math import ceil, prod

from loihiconv.core.linear import Conv, Sparse
from loihiconv.core.network import IF, Connection, Input, Network
from loihiconv.hardware.board import Board
from loihiconv.hardware.placement import Placement, Slice


def recount(network: Network, placement: Placement) -> dict[int, dict[str, int]]:
    """Per core: compartments, words, axons in, slots of axons out, words of the longest list."""
    board = placement.board
    cores: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(("compartments", "words", "axons_in", "axons_out", "longest"), 0))
    for target in placement.slices:
        used = cores[target.core]
        grid = _grid(network, target, board)
        used["compartments"] += (
            (target.region.channels[1] - target.region.channels[0]) * len(grid[0]) * len(grid[1]) * _per(network, target, board)
        )
        for connection in network.incoming(target.population):
            if connection.on_host or (not network[connection.source].spiking and not board.graded_spikes):
                continue
            words, axons, longest = _lists(network, connection, target, grid, board)
            used["words"] += words
            used["axons_in"] += axons
            used["longest"] = max(used["longest"], longest)
            reached = {source for source, _ in _entries(network, connection, target, halo=False)}
            for source in placement.slices:
                if source.population == connection.source:
                    inside = [n for n in reached if _within(n, source)]
                    cores[source.core]["axons_out"] += _slots(network, connection, source, inside, board)
    return dict(cores)


def shape_of(network: Network, name: str) -> tuple[int, int, int]:
    for connection in network.incoming(name):
        if isinstance(connection.map, Conv):
            return connection.map.output_shape(network[connection.source].shape)  # type: ignore[return-value]
    shape = network[name].shape
    return shape if len(shape) == 3 else (prod(shape), 1, 1)  # type: ignore[return-value]


def _per(network: Network, s: Slice, board: Board) -> int:
    population = network[s.population]
    subtracts = isinstance(population, Input) or (isinstance(population, IF) and population.reset == "subtract")
    return board.compartments_per_neuron.value if subtracts else 1


def _is_conv(network: Network, connection: Connection) -> bool:
    linear = connection.map
    if connection.weight_exp and not connection.on_host:  # Lava's Conv has no exponent: all synapses are written out
        return False
    return isinstance(linear, Conv) and linear.output_shape(network[connection.source].shape) == shape_of(network, connection.target)


def _entries(network: Network, connection: Connection, target: Slice, *, halo: bool):
    """((c, y, x) of the source, ((c, r, w) of the target, weight)) for each synapse onto a slice."""
    linear, (channels, height, width) = connection.map, shape_of(network, connection.source)
    region = target.region
    inside = set(product(range(*region.channels), range(*region.rows), range(*region.columns)))
    if isinstance(linear, Sparse):
        yield from _listed(network, connection, linear, inside)
        return
    if not _is_conv(network, connection):
        for source, neuron in product(product(range(channels), range(height), range(width)), inside):
            yield source, (neuron, (source, neuron))
        return
    assert isinstance(linear, Conv)
    per_out, per_in = linear.weight.shape[0] // linear.groups, linear.weight.shape[1]
    kh, kw = linear.weight.shape[2:]
    (top, _, left, _), (sh, sw), (dh, dw) = linear.padding, linear.stride, linear.dilation
    margin = max(kh * dh, kw * dw) + 2 if halo else 0
    rows = range(region.rows[0] - margin, region.rows[1] + margin)
    columns = range(region.columns[0] - margin, region.columns[1] + margin)
    found = []
    for r, w, ky, kx in product(rows, columns, range(kh), range(kw)):
        y, x = r * sh + ky * dh - top, w * sw + kx * dw - left
        if 0 <= y < height and 0 <= x < width:
            found.append((y, x, r, w, ky, kx))
    real = {(y, x) for y, x, r, w, _, _ in found if region.rows[0] <= r < region.rows[1] and region.columns[0] <= w < region.columns[1]}
    for (y, x, r, w, ky, kx), c in product(found, range(*region.channels)):
        if (y, x) in real:
            for i in range(per_in):
                yield (c // per_out * per_in + i, y, x), ((c, r, w), (c, i, ky, kx))


def _listed(network: Network, connection: Connection, linear: Sparse, inside: set[tuple[int, ...]]):
    """The same for synapses that are listed one by one."""
    sources, targets = (list(product(*map(range, shape_of(network, name)))) for name in (connection.source, connection.target))
    for row, column in zip(linear.rows, linear.columns, strict=True):
        if targets[row] in inside:
            yield sources[column], (targets[row], (sources[column], targets[row]))


def _grid(network: Network, target: Slice, board: Board) -> tuple[list[int], list[int]]:
    """Rows and columns that a slice keeps: with a halo, along each axis all that see a pixel that its own see."""
    kept = [set(range(*target.region.rows)), set(range(*target.region.columns))]
    for connection in network.incoming(target.population) if target.halo else ():
        linear = connection.map
        host = connection.on_host or (not network[connection.source].spiking and not board.graded_spikes)
        if host or not _is_conv(network, connection) or not isinstance(linear, Conv):
            continue
        for axis, own in enumerate((range(*target.region.rows), range(*target.region.columns))):
            size = shape_of(network, connection.source)[1 + axis]
            taps, before = range(linear.weight.shape[2 + axis]), linear.padding[2 * axis]
            pixel = {(r, t): r * linear.stride[axis] + t * linear.dilation[axis] - before for r in range(-40, 60) for t in taps}
            seen = {y for (r, _), y in pixel.items() if r in own and 0 <= y < size}
            kept[axis] |= {r for (r, _), y in pixel.items() if y in seen}
    rows, columns = (range(min(k), max(k) + 1) for k in kept)
    return list(rows), list(columns)


def _lists(network, connection, target, grid, board: Board) -> tuple[int, int, int]:
    per = _per(network, target, board)
    rows, columns = grid
    reach = board.axon_base_range.value if board.axon_base_range else 10**9
    lists = defaultdict(list)
    for source, synapse in _entries(network, connection, target, halo=target.halo):
        lists[source].append(synapse)
    convolution = _is_conv(network, connection)
    axons = _count_axons(network, connection, lists)
    if board.generation == 2:
        kernel = {weight for synapses in lists.values() for _, weight in synapses}
        if convolution:  # taps that fall on padding only are stored all the same
            linear = connection.map
            kernel = {
                (c, i, ky, kx) for c, i, _, _ in kernel for ky in range(linear.weight.shape[2]) for kx in range(linear.weight.shape[3])
            }
        return ceil(len(kernel) * board.weight_bits.value / board.synapse_word_bits.value), axons, 0
    stored = {}
    for source, synapses in lists.items():
        base = 0
        if convolution:
            pixels = [(r - rows[0]) * len(columns) + w - columns[0] for (_, r, w), _ in synapses]
            base = min(pixels) * per // reach * reach + (min(pixels) * per) % reach
        relative = []
        for (c, r, w), weight in synapses:
            index = (((c - target.region.channels[0]) * len(rows) + r - rows[0]) * len(columns) + w - columns[0]) * per
            relative.append((index - base + base // reach * reach, weight))
        stored[frozenset(relative), source if not convolution else source[0]] = len(relative)
    index_bits = next(b for b in (6, 7, 8, 9, 10, 11, 12) if board.neurons_per_core.value <= 2**b)
    delay = network.delay(connection)
    entry = board.weight_bits.value + index_bits + (len(bin(delay)) - 2 if delay else 0)
    sizes = [_words(n, entry, board.synapse_word_bits.value) for n in stored.values()]
    return sum(sizes), axons, max(sizes, default=0)


def _words(synapses: int, entry: int, word: int) -> int:
    words = 0
    while synapses > 0:
        words += ceil((min(synapses, 64) * entry + 10) / word)
        synapses -= 64
    return words


def _shared_axons(network, connection) -> bool:
    channels, height, width = shape_of(network, connection.source)
    return height * width > 1 and (_is_conv(network, connection) or channels > 1)


def _count_axons(network, connection, lists) -> int:
    if not _shared_axons(network, connection):
        return len(lists)
    channels = defaultdict(set)
    for c, y, x in lists:
        channels[y, x].add(c)
    return sum(ceil(len(c) / 512) for c in channels.values())


def _within(neuron, s: Slice) -> bool:
    return all(low <= i < high for i, (low, high) in zip(neuron, (s.region.channels, s.region.rows, s.region.columns), strict=True))


def _slots(network, connection, source: Slice, reached, board: Board) -> int:
    if not _shared_axons(network, connection):
        return len(reached)
    pixels = {(y, x) for _, y, x in reached}
    channels = source.region.channels[1] - source.region.channels[0]
    return len(pixels) * ceil(channels / 512) * (2 if board.generation == 1 else 1)
