"""One of several outputs by itself: the part of a network that it takes."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from loihiconv.core.linear import Conv, Dense, LinearMap, Shape, sparse
from loihiconv.core.network import Connection, Network, Readout
from loihiconv.core.parts import find, slices


def only(network: Network, output: str) -> Network:
    """The network of one output: the same numbers, without what the other outputs alone need.

    Its readout has the same potentials for it, bit for bit. The float origin is cut in the same way. A network of one output stays as it
    is, if that is its name.

    Parameters
    ----------
    network : Network
    output : str
        Name of one of ``network.outputs``.

    Raises
    ------
    InvalidSetting
        If there is none of this name.
    """
    index = find(network.outputs, output, "output")
    readout = network.readout
    if not readout.parts:
        return network
    part, rows = readout.parts[index], list(slices(readout.parts).values())[index]
    v_init, bias = (np.broadcast_to(values, readout.shape)[rows].copy() for values in (readout.v_init, readout.bias))
    alone = replace(
        readout, shape=(part.size,), v_init=v_init, bias=bias, scale=readout.scale * part.scale, parts=()
    )
    connections = [_into(network, c, rows) if c.target == readout.name else c for c in network.connections]
    return _reduced(network, alone, [c for c in connections if c is not None], output)


def _reduced(network: Network, readout: Readout, connections: list[Connection], output: str) -> Network:
    """The network with another readout and fewer connections into it, without what leads nowhere then."""
    needed = {readout.name}
    for population in reversed(network.populations):
        needed |= {c.source for c in connections if c.target == population.name and c.target in needed}
    needed |= {population.name for population in network.populations if population.kind == "input"}
    kept = tuple(readout if p.name == readout.name else p for p in network.populations if p.name in needed)
    record = network.record
    quantization = {name: entry for name, entry in record.quantization.items() if name in needed}
    bounds = {name: worst for name, worst in record.bounds.items() if name in needed}
    return replace(
        network,
        populations=kept,
        connections=tuple(c for c in connections if c.target in needed),
        record=replace(record, quantization=quantization, bounds=bounds),
        origin=network.origin and only(network.origin, output),
    )


def _into(network: Network, connection: Connection, rows: slice) -> Connection | None:
    """What of a connection ends at some neurons of its target; None where that is nothing."""
    part = _rows(connection.map, rows, network[connection.source].shape)
    return replace(connection, map=part) if part.weight.any() else None


def _rows(linear: LinearMap, rows: slice, input_shape: Shape) -> LinearMap:
    """The map to some of its outputs, of shape (outputs,) unless they are whole channels."""
    if isinstance(linear, Dense):
        return Dense(linear.weight[rows])
    pixels = prod(linear.output_shape(input_shape)[1:])
    if isinstance(linear, Conv) and linear.groups == 1 and rows.start % pixels == rows.stop % pixels == 0:
        return linear.with_weight(linear.weight[rows.start // pixels : rows.stop // pixels])
    written_out = sparse(linear, input_shape)
    inside = (written_out.rows >= rows.start) & (written_out.rows < rows.stop)
    kept = replace(written_out, weight=written_out.weight[inside], rows=written_out.rows[inside], columns=written_out.columns[inside])
    return kept.at(kept.rows - rows.start, kept.columns, (rows.stop - rows.start,), kept.inputs)
