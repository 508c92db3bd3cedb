"""One of several outputs by itself: the part of a network that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import TypeVar

import numpy as np

from loihiconv.core.linear import Conv, Dense, LinearMap, Shape, sparse
from loihiconv.core.network import Connection, Network, Readout, check_network
from loihiconv.core.parts import find, slices

Value = TypeVar("Value")


def only(network: Network, output: str) -> Network:
    """The network of one output: the same numbers, without what the other outputs alone need.

    Its readout, which has the name of the output, has the same potentials for it, bit for bit. The float origin is cut in the same
    way. A network of one output stays as it is, if that is its name.

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
    check_network(network)
    index = find(network.outputs, output, "output")
    readout = network.readout
    if not readout.parts:
        return network
    part, rows = readout.parts[index], slices(readout.parts)[output]
    v_init, bias = (np.broadcast_to(values, readout.shape).reshape(-1)[rows] for values in (readout.v_init, readout.bias))
    alone = replace(
        readout, shape=(part.size,), v_init=v_init, bias=bias, scale=readout.scale * part.scale, parts=(), ending=part.flat_ending
    )
    into = [replace(c, map=_rows(c.map, rows, network[c.source].shape)) for c in network.incoming(readout.name)]
    into = [c for c in into if c.map.weight.any()] or into[:1]
    reduced = _reduced(network, alone, [*(c for c in network.connections if c.target != readout.name), *into], index)
    if output not in reduced:
        reduced = _renamed(reduced, output)
    return replace(reduced, origin=network.origin and only(network.origin, output))


def _reduced(network: Network, readout: Readout, connections: list[Connection], index: int) -> Network:
    """The network with another readout and fewer connections into it, without what leads nowhere then."""
    needed = {readout.name, *(source.name for source in network.inputs)}
    for population in reversed(network.populations):
        needed |= {c.source for c in connections if c.target == population.name and c.target in needed}
    taken = {c.source for c in connections if c.target in needed}
    inputs = tuple(p if p.name in taken else replace(p, coding="analog") for p in network.inputs)  # spikes that nothing takes are none
    kept = (*inputs, *(p for p in network.layers[:-1] if p.name in needed), readout)
    record, scales = network.record, dict(network.record.calibration.scales)
    if len(own := scales.get(readout.name, ())) > index:
        scales[readout.name] = (own[index],)
    return replace(
        network,
        populations=kept,
        connections=tuple(c for c in connections if c.target in needed),
        record=replace(
            record,
            calibration=replace(record.calibration, scales=scales),
            quantization={name: entry for name, entry in record.quantization.items() if name in needed},
            bounds={name: worst for name, worst in record.bounds.items() if name in needed},
        ),
    )


def _renamed(network: Network, name: str) -> Network:
    """The network with another name for its readout."""
    before, record = network.readout.name, network.record

    def under(known: Mapping[str, Value]) -> dict[str, Value]:
        return {name if key == before else key: value for key, value in known.items()}

    calibration = replace(record.calibration, scales=under(record.calibration.scales), largest=under(record.calibration.largest))
    return replace(
        network,
        populations=(*network.populations[:-1], replace(network.readout, name=name)),
        connections=tuple(replace(c, target=name) if c.target == before else c for c in network.connections),
        record=replace(record, calibration=calibration, quantization=under(record.quantization), bounds=under(record.bounds)),
    )


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
