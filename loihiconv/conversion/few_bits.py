"""Scales for weights of few bits: channels with the largest weights get a larger λ, so that all others have a finer step.

The weights of a channel are W λ_before / λ, and all channels of a layer share one step. A larger λ makes a channel's weights smaller, at
the cost of a rate of fewer spikes. With 4 bits and 64 time steps weights are far coarser than rates, so that a few channels that give up
resolution in time save it for all the weights of the layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import numpy as np

from loihiconv.ann.graph import Ann, Relu
from loihiconv.conversion.calibration import Calibration, Statistics
from loihiconv.conversion.clipping import FEW_BITS, PAYS, RATIO, TRIED, fitting_factor, level, rounding_errors
from loihiconv.conversion.scales import Scales, output_scales, taken_from
from loihiconv.conversion.settings import Settings
from loihiconv.conversion.spiking import branches_of, rescale
from loihiconv.core.linear import Array, LinearMap, Shape

RAISED = 9
"""Scales that are tried for each channel, `RATIO` apart: up to 4 times λ."""
TIME_ERROR = 8.0
"""Mean square error of rates, in units of what rounding to T steps costs, 1 / (12 T²): spikes come too early, too."""
LEAST = 0.01
"""Variance of an input, as a share of the mean over all, that is counted with at least: calibration may have missed what wakes it."""


def scales_for_bits(ann: Ann, calibration: Calibration, scales: Scales, settings: Settings, weight_bits: int) -> dict[str, Array]:
    """Scales with which weights of so many bits and rates of T steps err least together.

    Layer after layer, over gains g and scales f λ of each channel, the mean over channels of ::

        E(g / f) + f² TIME_ERROR / (12 T²)

    in units of λ², with E the `rounding_errors` of what is driven by rates of the variance seen in calibration. Skip connections (`level`)
    do not count, as exponents give what is beside them a step of its own. Layers stay as they are unless that falls to `PAYS` of what the
    best gain alone gives, and all of them with more than `FEW_BITS`.

    Parameters
    ----------
    ann : Ann
        After the passes.
    calibration : Calibration
    scales : {node: λ}
        As `loihiconv.conversion.scales.choose_scales` gives them.
    settings : Settings
    weight_bits : int
    """
    result = dict(scales)
    if weight_bits > FEW_BITS:
        return result
    for node in ann:
        if node.name not in scales:
            continue
        if other := taken_from(node):
            result[node.name] = result[other]
        elif isinstance(node, Relu) and np.size(scales[node.name]) > 1 and not node.levels:
            branches = [(origin, linear) for origin, linear, _ in branches_of(ann, ann[node.inputs[0]])]
            if not any(ann.is_input(origin) for origin, _ in branches):
                raised = _raised(ann, calibration, result, node, branches, settings, weight_bits)
                result[node.name] = np.asarray(np.minimum(raised, np.maximum(node.bound / settings.payload_max, scales[node.name])))
    if ann.parts:
        result[ann.output.name] = output_scales(ann, calibration.parts, result)
    return result


def _raised(
    ann: Ann,
    calibration: Calibration,
    scales: Mapping[str, Array],
    node: Relu,
    branches: list[tuple[str, LinearMap]],
    settings: Settings,
    weight_bits: int,
) -> Array:
    """λ of one layer, in the shape that it has."""
    scale, shape, channels = scales[node.name], ann.shapes[node.name], ann.shapes[node.name][0]
    maps = [rescale(linear, scales[origin], scale, ann.shapes[origin], shape) for origin, linear in branches]
    drives = [
        (m, _activity(m, ann.shapes[origin], _variance(calibration.nodes[origin], scales[origin], settings.payload_max)))
        for m, (origin, _) in zip(maps, branches, strict=True)
        if not level(m) or all(map(level, maps))
    ]
    fits = min(fitting_factor(m, weight_bits) for m, _ in drives)
    if fits == inf:
        return scale  # no weight but zeros
    time = TIME_ERROR / (12 * settings.timesteps**2)

    def errors(i: int) -> Array:
        """Of each channel, where weights have the step of `fits` divided by RATIO^i."""
        return np.asarray(
            sum(rounding_errors(m, fits * RATIO**i, weight_bits, seen).reshape(channels, -1).mean(axis=1) for m, seen in drives)
        )

    if time > PAYS * (time + float(errors(0).mean())):
        return scale
    known = np.stack([errors(i) for i in range(1 - RAISED, TRIED)])  # from the coarsest step on
    costs = time * RATIO ** (2 * np.arange(RAISED)[:, None])
    totals = np.stack([known[RAISED - 1 + i - np.arange(RAISED)] + costs for i in range(TRIED)])  # gains, raised scales, channels
    best = totals.min(axis=1).mean(axis=1)
    if best.min() > PAYS * totals[:, 0].mean(axis=1).min():
        return scale
    raised = RATIO ** totals[best.argmin()].argmin(axis=0)
    return np.asarray(scale * raised.reshape(scale.shape))


def _variance(known: Statistics, scale: Array, most: int) -> Array:
    """Variance of the rates a / λ that calibration saw, per channel where that is known, and at least `LEAST` of their mean.

    ``most`` is where rates are cut off.
    """
    if not known.per_channel:
        return np.asarray(known.square_sum / known.values / np.square(scale, dtype=np.float64))
    values, counts = known.channel_distributions()
    rates = np.minimum(values / np.reshape(scale, (-1, 1)), most)
    number = known.values / len(counts)
    variance = (counts * rates**2).sum(axis=1) / number - ((counts * rates).sum(axis=1) / number) ** 2
    return np.asarray(np.maximum(variance, LEAST * variance.mean()).reshape(-1, *(1,) * (len(known.shape) - 1)))


def _activity(linear: LinearMap, inputs: Shape, variance: Array) -> Array:
    """Variance of what each weight is multiplied with."""
    ones = linear.with_weight(np.ones(linear.weight.shape))
    return np.asarray(ones.scaled(np.ones(linear.output_shape(inputs)), np.broadcast_to(variance, inputs)).weight)
