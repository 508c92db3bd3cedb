"""What a placement by the compiler's rule uses, counted again list by list, with none of the library's geometry."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import product
from math import ceil, prod

import numpy as np

from loihiconv.core.linear import Conv, Sparse
from loihiconv.core.network import Connection, Network
from loihiconv.hardware.board import Board
from loihiconv.hardware.placement import Placement, Slice
from tests.hardware.recount import _entries as entries_of
from tests.hardware.recount import shape_of


def recount_compiled(network: Network, placement: Placement) -> dict[int, tuple[int, int, int]]:
    """Per core: neurons, words, axons in."""
    cores: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for part in placement.slices:
        inside = list(product(*(range(*i) for i in (part.region.channels, part.region.rows, part.region.columns))))
        cores[part.core][0] += len(inside)
        for connection in network.incoming(part.population):
            if not connection.on_host:
                words, axons = _lists(network, connection, part, inside, placement.board)
                cores[part.core][1] += words
                cores[part.core][2] += axons
    return {core: (a, b, c) for core, (a, b, c) in cores.items()}


def _lists(network: Network, connection: Connection, part: Slice, inside: list[tuple[int, ...]], board: Board) -> tuple[int, int]:
    linear, compiler = connection.map, board.compiler
    assert compiler is not None
    shape, source = shape_of(network, connection.target), shape_of(network, connection.source)
    delay = network.delay(connection)
    convolves = isinstance(linear, Conv) and linear.output_shape(network[connection.source].shape) == shape
    if convolves and not connection.weight_exp and not delay:
        targets = defaultdict(set)
        per_out, per_in = linear.weight.shape[0] // linear.groups, linear.weight.shape[1]
        for channel, i in product({c for c, _, _ in inside}, range(per_in)):
            for tap in product(*map(range, linear.weight.shape[2:])):
                targets[channel // per_out * per_in + i, tap].add(channel)
        bits = _bits(linear.weight, board, halve=False)
        sizes = [len(t) * bits + (compiler.header_bits.value if len(t) % 64 else 0) for t in targets.values()]
        return sum(ceil(size / board.synapse_word_bits.value) for size in sizes), 1
    lists: dict[object, int] = defaultdict(int)
    if isinstance(linear, Sparse):
        flat = {int(np.ravel_multi_index(n, shape)) for n in inside}
        for row, column in zip(linear.rows.tolist(), linear.columns.tolist(), strict=True):
            lists[column] += row in flat
    elif convolves:
        for neuron, _ in entries_of(network, replace(connection, weight_exp=0), part, halo=False):
            lists[neuron] += 1
    else:
        lists.update(dict.fromkeys(range(prod(source)), len(inside)))
    entry = compiler.index_bits.value + _bits(linear.weight, board, halve=True) + (len(bin(delay)) - 2 if delay else 0)
    used = [n for n in lists.values() if n]
    return sum(ceil((n * entry + compiler.header_bits.value) / board.synapse_word_bits.value) for n in used), len(used)


def _bits(weight: np.ndarray, board: Board, *, halve: bool) -> int:
    """The fewest bits, tried one after the other."""
    values = {int(w) for w in np.unique(weight)} | {0}
    mixed = min(values) < 0 < max(values)
    if mixed and halve:
        values = {v // 2 for v in values}
    for bits in range(1, board.weight_bits.value + 1):
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if mixed else (-(2**bits - 1), 2**bits - 1)
        if all(low <= v <= high for v in values):
            return board.weight_bits.value if halve and bits == 7 else bits
    return board.weight_bits.value
