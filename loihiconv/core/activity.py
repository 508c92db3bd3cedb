"""How active a run was and how many synaptic operations it took: the same count for every back end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from loihiconv.core.linear import Array, Dense, LinearMap, Shape
from loihiconv.core.network import Network


@dataclass(frozen=True)
class Activity:
    """Means over the samples of a run.

    Attributes
    ----------
    firing_rates : {population: float}
        Spikes per neuron and step, in [0, 1].
    firing_rate : float
        The same over all neurons that can spike.
    synaptic_operations : float
        Arrivals per sample of a non-zero spike or payload at a synapse with non-zero weight.
    """

    firing_rates: Mapping[str, float]
    firing_rate: float
    synaptic_operations: float


UNKNOWN = Activity({}, float("nan"), float("nan"))
"""Of a run whose spikes were not counted."""


def fan_out(linear: LinearMap, input_shape: Shape) -> Array:
    """Synapses with non-zero weight that leave each neuron of the source.

    The adjoint of the map with every non-zero weight replaced by 1, applied to ones. Neurons near a border of a
    convolution have fewer.

    Returns
    -------
    float64 array (\\*input_shape)
    """
    if isinstance(linear, Dense):
        return np.asarray(np.count_nonzero(linear.weight, axis=0).reshape(input_shape).astype(np.float64))
    indicator = linear.with_weight((linear.weight != 0).astype(np.float64))
    ones = np.ones((1, *linear.output_shape(input_shape)), np.float64)
    return np.asarray(indicator.adjoint(ones, input_shape)[0])


def activity(network: Network, spikes: Mapping[str, Array], payloads: Mapping[str, Array], samples: int) -> Activity:
    """Sum up a run.

    Synaptic operations are the sum over connections and source neurons of arrivals x fan-out; a payload that is not
    zero arrives at each of the T steps. Connections whose sum the host computes take none.

    Parameters
    ----------
    spikes : {population: array (\\*shape)}
        Spikes per neuron, summed over steps and samples, for every population that spikes.
    payloads : {input: array (\\*shape)}
        For each value of an analog input, the number of samples in which it is not zero.
    samples : int
    """
    operations = 0.0
    for connection in network.connections:
        if not connection.on_host:
            source = network[connection.source]
            arrivals = spikes[source.name] if source.spiking else payloads[source.name] * network.timesteps
            operations += float(np.vdot(arrivals.astype(np.float64), fan_out(connection.map, source.shape)))
    windows = samples * network.timesteps
    rates = {name: float(np.sum(total, dtype=np.float64) / (total.size * windows)) for name, total in spikes.items()}
    neurons = sum(total.size for total in spikes.values())
    overall = sum(rates[name] * total.size for name, total in spikes.items()) / neurons if neurons else 0.0
    return Activity(rates, overall, operations / samples)
