"""Sums driven by events: only the weights of neurons that spike are added, where a matrix product multiplies those of all.

A spike of a channel at a pixel reaches a few pixels of the target, and at each of them all output channels, which lie side by side in
memory, as do their weights. So a spike is a few runs of consecutive additions, and neighbouring taps of a kernel are one run. Up to four
spikes of a pixel are added together, which reads and writes the sums once instead of four times.

Sums of integers are taken in int16 where no partial sum can leave it, that is where neither the positive nor the negative weights of a
neuron (of signed spikes all of them), times the largest payloads, add up to more than 2^15 - 1; else in int32. Weights that are all even
are halved, and
`EventSums.shift` makes up for it. Float networks use float32 and add in the same order, however a run is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import numba
import numpy as np
import torch

from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Pair, Shape, Sparse
from loihiconv.core.network import assert_never
from loihiconv.simulator.compiled import compiled
from loihiconv.simulator.depthwise import EXACT_INT16
from loihiconv.simulator.int8 import Bytes
from loihiconv.simulator.layout import dense_channels_last, sparse_channels_last
from loihiconv.simulator.vectors import bits, converted, fill, first_one, load, store

FEWEST_OUTPUTS = 8
"""Output channels, or neurons of dense layers, below which a spike has too little to add at a time."""

Runs: TypeAlias = tuple[Array, Array, Array, Array, Array, Array]
"""Where spikes go, int32. A cell is a pixel of the source, or a group of its channels.

- (units of the source,), in (H, W, C) order: the cell of each unit, and where its weights begin
- (cells + 1,): where the runs of each cell begin
- (runs,): the first neuron of each, its first weight after the unit's first, and how many follow each other
"""


@dataclass(frozen=True)
class Incoming:
    """A connection as far as sums depend on it.

    Parameters
    ----------
    map : Dense, Conv or Sparse
    source : shape
    payload : int
        Largest message that crosses it.
    signed : bool
        Whether messages can be negative.
    """

    map: LinearMap
    source: Shape
    payload: int
    signed: bool = False


class EventSums:
    """All connections into a population, ready to run on spikes.

    Parameters
    ----------
    incoming : sequence of Incoming
        As `fits` accepts them.
    target : shape
        Of the population.
    shift : int
        From whole sums to units of v; 0 in float networks.

    Attributes
    ----------
    kind : torch.dtype
        Of sums: int16, int32 or float32.
    shift : int
        From these sums to units of v.
    """

    def __init__(self, incoming: Sequence[Incoming], target: Shape, shift: int) -> None:
        weights = [torch.from_numpy(np.ascontiguousarray(c.map.weight)) for c in incoming]
        halved = 0
        if weights[0].is_floating_point():
            self.kind = torch.float32
        elif (narrow := _narrow(weights, incoming)) is not None:
            self.kind, weights, halved = torch.int16, [n.values for n in narrow], narrow[0].halved
        else:
            self.kind, weights = torch.int32, [w.to(torch.int16) for w in weights]
        self.shift = shift + halved
        self.parts = [
            (_arranged(w, c, target), _runs(c, target), c.payload > 1 or c.signed) for w, c in zip(weights, incoming, strict=True)
        ]

    @staticmethod
    def fits(linear: LinearMap, source: Shape, target: Shape) -> bool:
        """Whether a spike adds to enough neurons that lie side by side."""
        match linear:
            case Dense():
                return len(linear.weight) >= FEWEST_OUTPUTS
            case Conv():
                return len(target) == 3 and len(linear.weight) // linear.groups >= FEWEST_OUTPUTS
            case Sparse():
                runs = len(_sparse_runs(sparse_channels_last(linear, source, target))[-1])
                return 0 < runs * FEWEST_OUTPUTS <= linear.weight.size
            case _:
                assert_never(linear)

    def by_rows(self, spikes: Sequence[torch.Tensor], sums: torch.Tensor) -> Callable[[int, int], None]:
        """A function that makes the sums of some rows, from one to another, in the first rows of ``sums``.

        Parameters
        ----------
        spikes : uint8 or (signed) int8 tensor (rows, units of the source) for each connection, in (H, W, C) order
        sums : tensor (rows, neurons) of ``kind``
            Written, in units of v / 2^shift.
        """
        out = sums.numpy()
        parts = [(s.numpy(), weight, where, graded) for s, (weight, where, graded) in zip(spikes, self.parts, strict=True)]

        def add(begin: int, end: int) -> None:
            out[: end - begin] = 0
            for part in parts:
                _add(*part, begin, end, out)

        return add


def _narrow(weights: Sequence[torch.Tensor], incoming: Sequence[Incoming]) -> list[Bytes] | None:
    """Weights as signed bytes, if neither positive nor negative sums of weight x payload leave int16."""
    narrow = [n for w in weights if (n := Bytes.of(w)) is not None]
    if len(narrow) < len(weights) or len({n.halved for n in narrow}) > 1:
        return None
    for low, high in ((0, 127), (-127, 0)):
        parts = [n.values.to(torch.int64) for n in narrow]
        of_one_sign = [(w if c.signed else w.clamp(low, high)).numpy() for w, c in zip(parts, incoming, strict=True)]
        largest = [int(np.abs(c.map.row_sums(w)).max()) * c.payload for w, c in zip(of_one_sign, incoming, strict=True)]
        if sum(largest) > EXACT_INT16:
            return None
    return narrow


def _arranged(weight: torch.Tensor, incoming: Incoming, target: Shape) -> Array:
    """Weights in the order in which spikes add them: (groups, C_in, kH, kW reversed, C_out), (in, out), or by input and output."""
    match incoming.map:
        case Conv():
            (c_out, c_in, kh, kw), groups = weight.shape, incoming.map.groups
            ordered = weight.view(groups, c_out // groups, c_in, kh, kw).flip(-1).permute(0, 2, 3, 4, 1)
        case Dense():
            ordered = dense_channels_last(weight, incoming.source, target).T
        case Sparse():
            last = sparse_channels_last(incoming.map.with_weight(weight.numpy()), incoming.source, target)
            ordered = torch.from_numpy(last.weight[_by_input(last)])
        case _:
            assert_never(incoming.map)
    # torch begins arrays at cache lines, numpy does not
    return np.asarray(ordered.clone(memory_format=torch.contiguous_format).numpy()).reshape(-1)


def _runs(incoming: Incoming, target: Shape) -> Runs:
    linear, source = incoming.map, incoming.source
    match linear:
        case Dense():
            return _dense_runs(prod(source), prod(target))
        case Conv():
            return _conv_runs(linear.weight.shape[2:], linear.stride, linear.padding, linear.dilation, linear.groups, source, target)
        case Sparse():
            return _sparse_runs(sparse_channels_last(linear, source, target))
        case _:
            assert_never(linear)


@lru_cache(maxsize=64)
def _dense_runs(inputs: int, outputs: int) -> Runs:
    """One cell and one run."""
    return _int32(np.zeros(inputs), np.arange(inputs) * outputs, [0, 1], [0], [0], [outputs])


@lru_cache(maxsize=64)
def _conv_runs(kernel: Pair, stride: Pair, padding: tuple[int, ...], dilation: Pair, groups: int, source: Shape, target: Shape) -> Runs:
    """A spike at (y, x) reaches (y + top - ky dilation) / stride, and so for x, where that is whole and within the target.

    Taps go from the right to the left, so that the pixels they reach go from the left to the right.
    """
    (channels, height, width), (c_out, h_out, w_out), (kh, kw) = source, target, kernel
    inputs, outputs = channels // groups, c_out // groups
    starts, found = [0], []
    rows = [_reached(y, padding[0], stride[0], dilation[0], range(kh), h_out) for y in range(height)]
    columns = [_reached(x, padding[2], stride[1], dilation[1], range(kw - 1, -1, -1), w_out) for x in range(width)]
    for y in range(height):
        for x in range(width):
            for group in range(groups):
                own: list[list[int]] = []
                for ky, row in rows[y]:
                    for kx, column in columns[x]:
                        first, weight = (row * w_out + column) * c_out + group * outputs, (ky * kw + kw - 1 - kx) * outputs
                        if own and (own[-1][0] + own[-1][2], own[-1][1] + own[-1][2]) == (first, weight):
                            own[-1][2] += outputs
                        else:
                            own.append([first, weight, outputs])
                found += own
                starts.append(len(found))
    units = np.arange(height * width * channels)
    channel = units % channels
    cells = units // channels * groups + channel // inputs
    return _int32(cells, channel * (kh * kw * outputs), starts, *np.array(found, np.int32).reshape(-1, 3).T)


def _by_input(linear: Sparse) -> Array:
    """The order of synapses by input, then by output."""
    return np.asarray(np.lexsort((linear.rows, linear.columns)))


def _sparse_runs(linear: Sparse) -> Runs:
    """A cell for each input, whose runs are the outputs that follow one another."""
    order = _by_input(linear)
    rows, columns, inputs = linear.rows[order], linear.columns[order], prod(linear.inputs)
    broken = (np.diff(rows) != 1) | (np.diff(columns) != 0)
    first = np.flatnonzero(np.concatenate([[True], broken])) if rows.size else np.zeros(0, np.int64)
    begins = np.searchsorted(columns, np.arange(inputs))
    owner = columns[first]
    lengths = np.diff(np.concatenate([first, [rows.size]]))
    starts = np.searchsorted(owner, np.arange(inputs + 1))
    return _int32(np.arange(inputs), begins, starts, rows[first], first - begins[owner], lengths)


def _reached(position: int, before: int, stride: int, dilation: int, taps: range, size: int) -> list[Pair]:
    """Taps by which a position of the source reaches the target, and where, along one axis."""
    places = [(k, position + before - k * dilation) for k in taps]
    return [(k, place // stride) for k, place in places if place % stride == 0 and 0 <= place // stride < size]


def _int32(*arrays: Any) -> Runs:
    return tuple(np.ascontiguousarray(a, np.int32) for a in arrays)  # type: ignore[return-value]


@compiled
def _add(spikes: Any, weight: Any, runs: Any, graded: bool, begin: int, end: int, sums: Any) -> None:
    cells, rows, starts, targets, offsets, lengths = runs
    active = np.empty(spikes.shape[1], np.int32)
    for r in range(begin, end):
        out, fired, i = sums[r - begin], _find(spikes[r].view(np.uint8), active), 0
        while i < fired:
            cell, w0 = cells[active[i]], rows[active[i]]
            first, last = starts[cell], starts[cell + 1]
            if graded:
                for k in range(first, last):
                    _add_scaled(out, targets[k], lengths[k], weight, w0 + offsets[k], spikes[r, active[i]])
                i += 1
            elif i + 3 < fired and cells[active[i + 3]] == cell:
                w1, w2, w3 = rows[active[i + 1]], rows[active[i + 2]], rows[active[i + 3]]
                for k in range(first, last):
                    o = offsets[k]
                    _add_run(out, targets[k], lengths[k], weight, (w0 + o, w1 + o, w2 + o, w3 + o))
                i += 4
            elif i + 1 < fired and cells[active[i + 1]] == cell:
                w1 = rows[active[i + 1]]
                for k in range(first, last):
                    _add_run(out, targets[k], lengths[k], weight, (w0 + offsets[k], w1 + offsets[k]))
                i += 2
            else:
                for k in range(first, last):
                    _add_run(out, targets[k], lengths[k], weight, (w0 + offsets[k],))
                i += 1


@compiled
def _find(row: Any, active: Any) -> int:
    """Write which units spike, ascending; how many they are."""
    silent, found, i = fill(np.uint8(0), 64), 0, 0
    while i + 64 <= row.size:
        here = bits(load(row, i, 64) != silent)
        while here != np.uint64(0):
            active[found] = i + first_one(here)
            found += 1
            here &= here - np.uint64(1)
        i += 64
    while i < row.size:
        if row[i] != 0:
            active[found] = i
            found += 1
        i += 1
    return found


@numba.njit(inline="always", nogil=True, error_model="numpy")
def _add_run(out: Any, target: Any, length: Any, weight: Any, rows: Any) -> None:
    """Add the weights of some units, side by side from ``rows`` on, to ``length`` sums."""
    i = 0
    while i + 32 <= length:
        _add_lanes(out, target + i, weight, rows, i, 32)
        i += 32
    while i + 8 <= length:
        _add_lanes(out, target + i, weight, rows, i, 8)
        i += 8
    while i < length:
        _add_lanes(out, target + i, weight, rows, i, 1)
        i += 1


@numba.njit(inline="always", nogil=True, error_model="numpy")
def _add_lanes(out: Any, target: Any, weight: Any, rows: Any, i: Any, lanes: Any) -> None:
    total = load(out, target, lanes)
    for row in rows:
        total = total + converted(load(weight, row + i, lanes), total)
    store(out, target, total)


@numba.njit(inline="always", nogil=True, error_model="numpy")
def _add_scaled(out: Any, target: Any, length: Any, weight: Any, row: Any, payload: Any) -> None:
    """The same for one unit whose spike carries a payload."""
    i = 0
    while i + 8 <= length:
        _add_scaled_lanes(out, target + i, weight, row + i, payload, 8)
        i += 8
    while i < length:
        _add_scaled_lanes(out, target + i, weight, row + i, payload, 1)
        i += 1


@numba.njit(inline="always", nogil=True, error_model="numpy")
def _add_scaled_lanes(out: Any, target: Any, weight: Any, row: Any, payload: Any, lanes: Any) -> None:
    total = load(out, target, lanes)
    store(out, target, total + converted(load(weight, row, lanes), total) * converted(fill(payload, lanes), total))
