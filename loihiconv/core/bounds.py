"""Worst cases over all inputs: what no sample can exceed, worked out from weights, biases and the largest messages alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from loihiconv.core.linear import Array
from loihiconv.core.network import STATE_SHIFT, Connection, Input, Integrator, Network, Population
from loihiconv.core.record import WorstCase


def worst_cases(network: Network) -> dict[str, WorstCase]:
    """Largest sum and potential of every population that sums, in a fixed-point network.

    The sum has to stay below 2^17; v reaches T (64 sum + |bias|) + |v_init|, of a readout with the steps that it integrates. Beyond
    2^23 - 1 v saturates, on the chip, in Lava and in the emulator alike.
    """
    result: dict[str, WorstCase] = {}
    for population in network.layers:
        if not isinstance(population, Integrator):  # gates sum nothing
            continue
        on_chip = [c for c in network.incoming(population.name) if not c.on_host]
        worst = max(float(sums.max()) for sums in worst_sums(network, {}, population, on_chip))
        step = worst * 2**STATE_SHIFT + float(np.abs(population.bias).max())
        v = (network.timesteps - population.first_step) * step + float(np.abs(population.v_init).max())
        result[population.name] = WorstCase(worst, v)
    return result


def worst_sums(
    network: Network, entries: Mapping[str, Input], population: Population, connections: Iterable[Connection]
) -> tuple[Array, Array]:
    """Largest positive and largest negative sum of weight x message per neuron, both as magnitudes and after the shift by ``weight_exp``.

    Parameters
    ----------
    network : Network
    entries : {input: Input}
        In place of the network's inputs, whose payloads may not have been chosen yet.
    population : Population
    connections : iterable of Connection
        Those into it that count.

    Returns
    -------
    rising, falling : float64 arrays of the population's shape
    """
    rising, falling = np.zeros(population.shape), np.zeros(population.shape)
    for connection in connections:
        source = entries.get(connection.source, network[connection.source])
        high, low = source.largest_message, source.smallest_message
        linear, weight = connection.map, connection.map.weight.astype(np.float64)
        scale = 1.0 if connection.on_host else 2.0**connection.weight_exp
        largest = linear.row_sums(np.maximum(weight * high, weight * low))
        smallest = linear.row_sums(np.minimum(weight * high, weight * low))
        if scale != 1:  # the shift rounds towards minus infinity
            largest, smallest = np.floor(largest * scale), np.floor(smallest * scale)
        outputs = linear.output_shape(source.shape)
        rising = rising + np.broadcast_to(largest, outputs).reshape(population.shape)
        falling = falling - np.broadcast_to(smallest, outputs).reshape(population.shape)
    return rising, falling
