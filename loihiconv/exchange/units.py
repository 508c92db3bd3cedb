"""Units of a float spiking network: what is 1 at its input and at its readout."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihiconv.core.linear import LinearMap
from loihiconv.core.network import Connection, Network


def with_units(network: Network, scale: float, unit: float, *, signed: bool) -> Network:
    """The same function with values of ``scale`` as 1 at the input, and outputs per step of ``unit`` as 1 at the readout.

    Quantization takes input and outputs to be within 1.

    Parameters
    ----------
    network : Network
        Float, with 1 for both so far.
    scale, unit : float
    signed : bool
        Whether values can be negative.
    """
    source, readout = network.input, network.readout
    connections = []
    for c in network.connections:
        factor = (scale if c.source == source.name and not source.spiking else 1.0) / (unit if c.target == readout.name else 1.0)
        weight = np.asarray(c.map.weight * np.float64(factor), np.float32)
        connections.append(Connection(c.source, c.target, c.map.with_weight(weight)))
    entry = replace(source, scale=scale, signed=signed)
    end = replace(readout, bias=np.asarray(readout.bias / np.float64(unit), np.float32), scale=1 / unit)
    return replace(network, populations=(entry, *network.populations[1:-1], end), connections=tuple(connections))


def largest_output(network: Network) -> float:
    """What no output per step exceeds, whatever spikes and values within 1 arrive."""
    readout = network.readout
    worst = np.abs(readout.bias.astype(np.float64)).reshape(-1)
    for c in network.incoming(readout.name):
        source = network[c.source]
        most = np.full((1, *source.shape), float(max(source.largest_message, 1)))
        worst = worst + _magnitudes(c.map).apply(most).reshape(-1)
    return float(worst.max())


def _magnitudes(linear: LinearMap) -> LinearMap:
    return linear.with_weight(np.abs(linear.weight.astype(np.float64)))
