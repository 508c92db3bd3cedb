"""Bias correction: what conversion loses on average per channel is given back through the biases.

A spiking rate falls short of the activation it stands for: potential is left over, rates saturate, weights were rounded.
The mean of that error over calibration data is the same for all samples, so a constant current repairs it. Deng and Gu 2021
(arXiv:2103.00476) shift biases analytically; Li et al. 2021 (arXiv:2106.06984, section 4.1, "bias calibration") measure the
shift on data, layer after layer, as is done here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np
import torch

from loihiconv.ann.evaluator import Evaluator, batch_of
from loihiconv.ann.graph import Ann
from loihiconv.ann.passes.rounding import with_rounding
from loihiconv.conversion.naming import population_names
from loihiconv.conversion.potentials import with_potentials
from loihiconv.conversion.scales import Scales
from loihiconv.core.bounds import worst_cases
from loihiconv.core.fixed_point import ALL_FORMATS, NumberFormats, round_bias
from loihiconv.core.linear import Array
from loihiconv.core.network import IF, Integrating, Integrator, Network, Population, Readout
from loihiconv.simulator.layerwise import Layerwise

SAMPLES = 256
"""Calibration samples that errors are averaged over."""
BATCH = 64


def target_rates(ann: Ann, scales: Scales, x: Array) -> dict[str, Array]:
    """Firing rates that spiking populations should have, averaged over samples and positions: mean of a / λ per channel.

    Of activations that training rounded they are those of the rounded ones, which are what the model computes.

    Parameters
    ----------
    ann : Ann
        After the passes.
    scales : {node: λ}
    x : array (N, \\*shape)
        Calibration samples.

    Returns
    -------
    {population: array (C,)}
        For the output layer, the mean outputs themselves.
    """
    names = {node: population for node, population in population_names(ann).items() if node in scales}
    evaluator = Evaluator(with_rounding(ann))
    totals: dict[str, Array] = {}
    for begin in range(0, len(x), BATCH):
        output, kept = evaluator(batch_of(x[begin : begin + BATCH]), keep=list(names))
        kept.pop(ann.output.name, None)
        means = {names[node]: _per_channel(values.numpy() / scales[node]) for node, values in kept.items()}
        means[names[ann.output.name]] = output.flatten(1).numpy()
        for name, values in means.items():
            totals[name] = totals.get(name, 0) + values.sum(axis=0, dtype=np.float64)
    return {name: total / len(x) for name, total in totals.items()}


def correct_biases(
    network: Network,
    targets: Mapping[str, Array],
    x: Array,
    *,
    formats: NumberFormats = ALL_FORMATS,
    repair: Callable[[Layerwise, str], Network] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Network:
    """Add to each channel's bias the mean error of its rate, layer after layer.

    bias <- bias + vth (mean target - mean rate), in units of v. Each layer sees the corrected ones before it. A readout's
    potentials are corrected alike. Works on float networks and, to repair rounding too, on quantized ones, whose biases stay
    mantissa * 2^exponent.

    Parameters
    ----------
    network : Network
    targets : {population: mean rate per channel}
        As `target_rates` gives them.
    x : array (N, \\*shape)
        Calibration samples.
    formats : NumberFormats
        Of biases, in a quantized network.
    repair : callable (run, population) -> Network, optional
        Gives the network of a run with other weights into a population, before its biases are corrected.
    progress : callable (layers done, layers in all), optional

    Returns
    -------
    Network
        The same but for the biases, and what the record says of potentials: of a float network those that were seen on the way
        (`loihiconv.conversion.potentials`), of a quantized one the worst cases.
    """
    layers = [p for p in network.populations if p.name in targets and isinstance(p, Integrator)]
    if not layers:
        return network
    run, done = Layerwise(network, x), 0
    for population in network.layers:
        if population in layers:
            if repair is not None:
                run.rewire(repair(run, population.name))
            run.replace(_corrected(run.network, population, targets[population.name], run.measure(population.name), formats))
            done += 1
            if progress is not None:
                progress(done, len(layers))
            if done == len(layers) and network.fixed_point:
                break
        if not population.spiking:
            break
        run.settle(population.name)
    network = run.network
    if not network.fixed_point:
        return with_potentials(network, run)
    return replace(network, record=replace(network.record, bounds=worst_cases(network)))


def measured_rates(network: Network, x: Array) -> dict[str, Array]:
    """What populations of a network send on average, in the form of `target_rates`: a target for another network of the same rates.

    Parameters
    ----------
    network : Network
    x : array (N, \\*shape)
        Calibration samples.
    """
    run, found = Layerwise(network, x), {}
    for population in network.layers:
        if isinstance(population, Integrator):
            sent = run.measure(population.name)
            if isinstance(population, IF):
                found[population.name] = _rates(population, sent, network.timesteps)
            else:
                found[population.name] = sent / network.output_unit
        if population.spiking:
            run.settle(population.name)
    return found


def _corrected(network: Network, population: Population, target: Array, sent: Array, formats: NumberFormats) -> Integrating:
    """A population with a bias that its mean error is added to; ``sent`` is what its neurons send on average in T steps."""
    assert isinstance(population, Integrator)  # the caller's choice
    unit = population.unit(network.shift)
    if isinstance(population, Readout):
        shift = target * unit * population.relative - sent / network.readout_steps
    else:
        assert isinstance(population, IF)  # the only other kind
        missing = (target - _rates(population, sent, network.timesteps)).repeat(population.copies)
        shift = (missing * unit).reshape(-1, *(1,) * (len(population.shape) - 1))
    bias = population.bias + shift
    if not network.fixed_point:
        bias = bias.astype(np.float32)
    elif any(c.on_host for c in network.incoming(population.name)):
        bias = np.rint(bias).astype(np.int32)  # the host adds it to its sum, and rounds that
    else:
        bias = round_bias(np.clip(bias, -formats.bias_max, formats.bias_max), formats)
    return replace(population, bias=bias)


def _rates(population: IF, sent: Array, timesteps: int) -> Array:
    """Mean rates over positions, and over copies of a channel, whose own differ as they start at other potentials."""
    return np.asarray(sent.reshape(len(sent) // population.copies, -1).mean(axis=1) / timesteps)


def _per_channel(values: Array) -> Array:
    """Means over positions: (N, C, ...) -> (N, C)."""
    return np.asarray(values.reshape(*values.shape[:2], -1).mean(axis=2))


def first_samples(batches: Iterable[Array], kept: list[Array], number: int = SAMPLES) -> Iterable[Array]:
    """Pass batches on, and keep copies of the first samples that come by."""
    for batch in batches:
        if (missing := number - sum(map(len, kept))) > 0:
            kept.append(np.array(batch[:missing], np.float32))
        yield batch


def spread_samples(x: Array | torch.Tensor, number: int = SAMPLES) -> Array | torch.Tensor:
    """Samples from all over an array, whose order may be by class."""
    return x[:: max(1, len(x) // number)][:number]
