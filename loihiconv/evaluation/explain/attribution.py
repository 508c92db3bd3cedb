"""Where each layer's error comes from: layers before it, potential left over, saturation, lost charge, unlucky timing.

For a population with analog activation a (`theory.analog_rates`), recorded rate r, and drive z = (Σ W r_before + b) / τ
from the rates it really received, all in spikes per step::

    a - r  =  [a - f(z)]  +  [f(z) - r]         f(z) = max(0, z), or min(max(0, z), bound) where the function has a bound
              propagated         own

    own  =  left-over + saturation + discarded + transient

*Left-over* is charge within one threshold that would have become a spike later (Eq. 6 of Rueckauer et al. 2016);
*saturation* is drive above one spike per step, as far as the function goes beyond it; *discarded* is charge that a reset to zero, or
the end of the chip's 24 bits, threw away (Eq. 5); *transient* is the rest: spikes that came before inhibition could stop them, charge
that came too late to be fired, gates of max-pooling that changed their mind, the noise of random input. Each identity holds exactly,
neuron by neuron. A readout fires nothing: all its error is propagated or discarded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from loihiconv.core.linear import Array
from loihiconv.core.network import Input, Network, Population, Readout, Recording
from loihiconv.evaluation.explain import theory

PARTS = ("propagated", "left_over", "saturation", "discarded", "transient")
SAMPLES_AT_ONCE = 16
"""Samples that are worked on together, in float64."""


@dataclass(frozen=True)
class LayerError:
    """Error of one population, over all its neurons and samples.

    Attributes
    ----------
    population : str
    unit : str
        Of all numbers here: "spikes per step", or "outputs of the float network" for the readout.
    activation, rate : float
        Mean of a and of r.
    rms : float
        Root mean square of a - r.
    bias : {part: float}
        Mean of each of `PARTS`; they sum to the mean of a - r.
    share : {part: float}
        Σ part (a - r) / Σ (a - r)²: how much of the squared error each part makes up. They sum to 1; a part that works
        against the others is negative. All 0 if there is no error.
    left_over_of_all_layers : float
        The same share for left-over potential of this layer and of all before it, passed on by the weights through
        neurons that can pass it on (Eq. 8).
    """

    population: str
    unit: str
    activation: float
    rate: float
    rms: float
    bias: Mapping[str, float]
    share: Mapping[str, float]
    left_over_of_all_layers: float


def attribute(network: Network, recording: Recording, samples: Array, activations: Mapping[str, Array] | None = None) -> list[LayerError]:
    """Take the error of every population apart.

    Parameters
    ----------
    network : Network
        Float or fixed point.
    recording : Recording
        Of ``samples``, with spike counts and ``record=["residuals"]``.
    samples : array (N, \\*input shape)
    activations : {population: array (N, \\*shape)}, optional
        What rates are compared with, in the units of `theory.analog_rates`; by default just that. With those of the float
        network that a fixed-point one was quantized from, "propagated" holds the error of quantization as well.

    Returns
    -------
    list of LayerError
        In the order of the network, without an analog input, which has no error.
    """
    sums = {p.name: _Sums() for p in network.populations if p.spiking or p is network.readout}
    for begin in range(0, len(samples), SAMPLES_AT_ONCE):
        end = begin + SAMPLES_AT_ONCE
        given = None if activations is None else {name: a[begin:end] for name, a in activations.items()}
        for name, layer in split(network, _slice(recording, begin, end), samples[begin:end], given).items():
            sums[name].add(layer)
    return [total.result(name, network[name]) for name, total in sums.items()]


@dataclass(frozen=True, eq=False)
class Split:
    """One population's error taken apart, neuron by neuron: arrays (N, \\*shape), in the units of its rate.

    Attributes
    ----------
    activation, rate : array
    parts : {part: array}
        `PARTS`; they sum to activation - rate.
    left_over_of_all_layers : array
    """

    activation: Array
    rate: Array
    parts: Mapping[str, Array]
    left_over_of_all_layers: Array


def split(network: Network, recording: Recording, samples: Array, activations: Mapping[str, Array] | None = None) -> dict[str, Split]:
    """The error of every population, neuron by neuron; arguments as in `attribute`."""
    analog = dict(theory.analog_rates(network, samples)) | dict(activations or {})
    rates, delta_v = theory.recorded_rates(network, recording, samples), theory.recorded_left_over(network, recording)
    parts: dict[str, dict[str, Array]] = {}
    for p in network.populations:
        if isinstance(p, Input) and not p.spiking:
            continue
        z = theory.drive(network, rates, p.name, samples)
        if isinstance(p, Readout):
            # without a delay only saturation comes between; with one, what the steps that it let pass would have said
            lost = {"transient" if p.delay else "discarded": z - rates[p.name]}
            parts[p.name] = _parts(propagated=analog[p.name] - z, **lost)
            continue
        z = z / theory.tau(network, p)
        if p.name not in delta_v:  # gates and random inputs have no potential: all that is wrong is when they spike
            parts[p.name] = _parts(propagated=analog[p.name] - z, transient=z - rates[p.name])
            continue
        start = theory.start_potential(network, p) / (theory.tau(network, p) * recording.timesteps)
        parts[p.name] = neuron_parts(
            analog[p.name],
            rates[p.name],
            z,
            delta_v[p.name],
            start,
            1 / recording.timesteps,
            most=float(p.largest_message),
            driven=theory.rectified(p, z),
            subtract=p.resets == "subtract",
        )
    passed_on = theory.equation_8(network, {name: part["left_over"] for name, part in parts.items()}, rates, samples)
    return {name: Split(analog[name], rates[name], part, passed_on[name]) for name, part in parts.items()}


def neuron_parts(
    a: Array,
    r: Array,
    z: Array,
    delta_v: Array,
    start: Array,
    one: float,
    *,
    subtract: bool,
    most: float = 1.0,
    driven: Array | None = None,
) -> dict[str, Array]:
    """Take the error of integrate-and-fire neurons apart; everything in spikes per step.

    discarded = z - ΔV - r (what Eq. 7 lacks), saturation = max(0, f(z) - rmax) unless resets discard it, left-over =
    clip(V(T) - charge beyond rmax, 0, τ) / (τ T) - V(0) / (τ T) of neurons that were driven or fired, transient = the rest.

    Parameters
    ----------
    a, r, z, delta_v : arrays (N, \\*shape)
        Activation, rate, drive from received rates, and (V(T) - V(0)) / (τ T).
    start : array (\\*shape)
        V(0) / (τ T).
    one : float
        One threshold: 1 / T.
    subtract : bool
        Whether resets subtract the threshold.
    most : float
        rmax: 1, or the largest payload of graded spikes.
    driven : array, optional
        f(z); max(0, z) where the function has no bound.
    """
    driven = np.maximum(z, 0.0) if driven is None else driven
    beyond = np.maximum(z - most, 0.0) if subtract else np.zeros_like(z)
    saturation = np.minimum(beyond, np.maximum(driven - most, 0.0))
    discarded = z - delta_v - r
    within = np.clip(delta_v + start - beyond, 0.0, one) - start
    left = np.where((z > 0) | (r > 0), within, 0.0)
    own = driven - r
    return {
        "propagated": a - driven,
        "left_over": left,
        "saturation": saturation,
        "discarded": discarded,
        "transient": own - left - saturation - discarded,
    }


def _parts(**given: Array) -> dict[str, Array]:
    """All of `PARTS`, 0 where nothing is given."""
    none = np.zeros_like(next(iter(given.values())))
    return {part: given.get(part, none) for part in PARTS}


def _slice(recording: Recording, begin: int, end: int) -> Recording:
    return Recording(
        recording.predictions[begin:end],
        recording.potentials[begin:end],
        {name: counts[begin:end] for name, counts in recording.spike_counts.items()},
        recording.timesteps,
        recording.backend,
        recording.firing_rates,
        recording.firing_rate,
        recording.synaptic_operations,
        payload_sums={name: sums[begin:end] for name, sums in recording.payload_sums.items()},
        residuals={name: v[begin:end] for name, v in recording.residuals.items()},
    )


class _Sums:
    """Running sums of one population."""

    def __init__(self) -> None:
        self.values = 0
        self.activation = self.rate = self.square = self.all_layers = 0.0
        self.first, self.product = dict.fromkeys(PARTS, 0.0), dict.fromkeys(PARTS, 0.0)

    def add(self, layer: Split) -> None:
        error = layer.activation - layer.rate
        self.values += error.size
        self.activation += float(layer.activation.sum())
        self.rate += float(layer.rate.sum())
        self.square += float(np.vdot(error, error))
        self.all_layers += float(np.vdot(layer.left_over_of_all_layers, error))
        for part, values in layer.parts.items():
            self.first[part] += float(values.sum())
            self.product[part] += float(np.vdot(values, error))

    def result(self, name: str, population: Population) -> LayerError:
        readout = isinstance(population, Readout)
        unit = float(population.scale) if isinstance(population, Readout) else 1.0
        per_value, per_square = 1 / (self.values * unit), 1 / self.square if self.square else 0.0
        return LayerError(
            name,
            "outputs of the float network" if readout else "spikes per step",
            self.activation * per_value,
            self.rate * per_value,
            float(np.sqrt(self.square / self.values)) / unit,
            {part: total * per_value for part, total in self.first.items()},
            {part: total * per_square for part, total in self.product.items()},
            self.all_layers * per_square,
        )
