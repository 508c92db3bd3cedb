"""How to choose the scales λ that turn activations into firing rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod

import numpy as np

from loihiconv.ann.graph import Add, Ann, Linear, MaxPool, Node, Relu
from loihiconv.conversion.calibration import CHANNEL_BITS, Calibration, Statistics
from loihiconv.conversion.settings import ScaleRule, Settings
from loihiconv.core.fixed_point import mixed
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Sparse
from loihiconv.core.network import assert_never
from loihiconv.core.parts import slices

Scales = Mapping[str, Array]
"""λ per node: a float64 array that broadcasts to the node's shape, one number per layer or per channel."""


CHANNEL_FLOOR = 0.1
"""A channel's λ is at least this share of its layer's: all weights of a layer have one range of 8 bits in common."""


QUIET = 0.01
"""A channel whose mean square activation is less than this share of its layer's mean yields range to the others."""
SWING = 8
"""What is the same on all samples tells nothing, however loud: in that mean a channel counts for at most so many times its variance."""

GRID = 96
"""Scales that a search for the smallest error tries, evenly spaced on a logarithmic axis."""
SMALLEST = 1 / 16
"""The smallest of them, as a share of the largest."""
ROUNDS = 50
"""Updates of a balanced scale; it settles after about ten."""


def choose_scales(ann: Ann, calibration: Calibration, settings: Settings) -> dict[str, Array]:
    """λ of every population, as the settings ask for.

    ``scale="percentile"``: λ_l = p-th percentile of the layer's non-zero activations (Rueckauer et al. 2016, section
    3.2.2); 100 is the "max-norm" of section 3.2.1, None leaves hidden layers as they are, λ = 1. ``scale="mse"``:
    `error_minimising_scales`, no larger than that percentile; ``scale="balanced"``: `balanced_scales`, likewise. Either per
    layer or, as an extension of the paper, per channel (per neuron of dense layers), from the channel's own activations but at
    least `CHANNEL_FLOOR` times the layer's. Channels that hardly ever spike have a larger one where their weights would otherwise be the
    largest of their layer (`QUIET`).
    Layers next to weights that are all +-w, as BinaryConnect trains them, keep one λ, so that these weights stay exact.

    With graded spikes that λ stands for Γ = ``settings.payload_max`` per step, and what is returned is λ / Γ: the activation that a
    payload of 1 stands for.

    A function that is cut off at a bound (ReLU6) has no λ above it: a neuron whose λ is the bound is saturated just where the function
    is. Where training rounded to steps of the bound, λ is the bound itself, so that T steps give the levels of training.

    The input's and the output's λ are their largest magnitudes: payloads must not be clipped, and potentials should
    not saturate. Of several outputs each has its own, see `output_scales`.
    A layer that is silent on all calibration data gets λ = 1. Max-pooling keeps the λ of what it pools.

    Parameters
    ----------
    ann : Ann
        After the passes.
    calibration : Calibration
        With statistics per channel if ``settings.per_channel``.
    settings : Settings

    Returns
    -------
    {node: λ}, for the input, every Relu and MaxPool, and the output
    """
    scales: dict[str, Array] = {}
    whole = replace(settings, per_channel=False)
    exact = _next_to_binary_weights(ann)
    for name, statistics in calibration.nodes.items():
        node = ann[name]
        if other := taken_from(node):
            # Connections among such populations have weights of one, and whatever they do is the same for every λ.
            scales[name] = scales[other]
        elif node is ann.output and ann.parts:
            continue
        elif not isinstance(node, Relu):
            scales[name] = _or_one(statistics.largest_magnitude)
        else:
            scales[name] = _within_bound(node, _hidden(statistics, whole if name in exact else settings), settings.payload_max)
    _yield_range(ann, calibration, scales, settings.payload_max)
    if ann.parts:
        scales[ann.output.name] = output_scales(ann, calibration.parts, scales)
    return scales


def taken_from(node: Node) -> str:
    """The node whose λ a node takes, as max-pooling does; empty where it has one of its own."""
    if isinstance(node, MaxPool):
        return node.inputs[0]
    return node.scale_of if isinstance(node, Relu) else ""


def output_scales(ann: Ann, largest: Mapping[str, float], scales: Scales) -> Array:
    """λ of each of several outputs, which share one readout, and so one range of weights per connection: array of the output's shape.

    No smaller than its largest magnitude, so that no potential saturates; and so large that the largest weight of each output,
    W λ_before / λ, is that of the output with the smallest ones: all of them then use the whole range of a weight.

    Parameters
    ----------
    ann : Ann
        After the passes, with ``parts``.
    largest : {output: float}
        Largest magnitudes.
    scales : {node: λ}
        Of all nodes before it.
    """
    shape = ann.shapes[ann.output.name]
    strongest = _strongest(ann, ann.output, scales).ravel()
    own = {name: float(_or_one(value)) for name, value in largest.items()}
    weight = {name: float(strongest[place].max()) / own[name] for name, place in slices(ann.parts).items()}
    least = min((w for w in weight.values() if w > 0), default=1.0)
    chosen = [np.full(part.size, own[part.name] * max(weight[part.name] / least, 1.0)) for part in ann.parts]
    return np.asarray(np.concatenate(chosen).reshape(shape))


def _strongest(ann: Ann, node: Node, scales: Scales) -> Array:
    """Largest |W λ_before| of each output of all that drives a node, in the node's shape."""
    strongest = np.zeros(ann.shapes[node.name])
    for drive in _drives(ann, node):
        shape = ann.shapes[drive.inputs[0]]
        columns, rows = np.broadcast_to(scales[drive.inputs[0]], shape), np.ones(drive.map.output_shape(shape))
        scaled = drive.map.with_weight(drive.map.weight.astype(np.float64)).scaled(rows, columns)
        strongest = np.maximum(strongest, np.broadcast_to(row_largest(scaled), rows.shape).reshape(strongest.shape))
    return strongest


def row_largest(linear: LinearMap) -> Array:
    """Largest |w| of each output of a map, shaped to broadcast to what it gives."""
    magnitude = np.abs(linear.weight)
    match linear:
        case Dense():
            return np.asarray(magnitude.max(axis=1))
        case Conv():
            return np.asarray(magnitude.max(axis=(1, 2, 3))[:, None, None])
        case Sparse():
            rows = np.zeros(prod(linear.outputs))
            np.maximum.at(rows, linear.rows, magnitude)
            return np.asarray(rows.reshape(linear.outputs))
        case _:
            assert_never(linear)


def error_minimising_scales(values: Array, counts: Array, largest: Array, timesteps: int) -> Array:
    """Argmin over λ of Σ_k n_k (λ/T clip(⌊T a_k/λ + 1/2⌋, 0, T) - a_k)²: what rates of T steps distort least.

    From Li et al. 2021 (arXiv:2106.06984, section 4.2), over a histogram. Small λ clip, large ones round coarsely, the more so
    the fewer steps there are. Searched on `GRID` values of λ between `SMALLEST` times ``largest`` and ``largest``; what is larger
    than that counts as ``largest``, or a few outliers would pull λ to where the bulk of the activations rounds to nothing.

    Parameters
    ----------
    values : array (K,)
        Activations a_k, ascending.
    counts : array (C, K)
        n_k of each channel.
    largest : array (C,)
        Largest λ that is considered, per channel; 0 where a channel is silent.
    timesteps : int

    Returns
    -------
    array (C,)
    """
    beyond = values > largest[:, None]
    counts = np.where(beyond, 0, counts).astype(np.float64) + _at_most(values, largest) * np.where(beyond, counts, 0).sum(
        axis=1, keepdims=True
    )
    scales = np.geomspace(SMALLEST, 1, GRID) * max(float(np.max(largest)), 1e-30)
    errors = np.empty((len(scales), len(counts)))
    for i, scale in enumerate(scales):
        rates = np.clip(np.floor(timesteps * values / scale + 0.5), 0, timesteps) / timesteps
        errors[i] = counts @ (scale * rates - values) ** 2
    errors[scales[:, None] > largest[None]] = np.inf
    return np.asarray(np.minimum(scales[errors.argmin(axis=0)], largest))  # the latter where all that are tried are larger


def balanced_scales(values: Array, counts: Array, largest: Array, timesteps: int) -> Array:
    """The λ at which clipping and rounding pull equally hard: local threshold balancing, with the T steps in it.

    Bu et al. 2025 ("Inference-Scale Complexity in ANN-SNN Conversion", arXiv:2409.03368) raise each threshold by what clipping costs,
    λ <- λ + 2 η E[max(a - λ, 0)], batch after batch, for so many batches. Nothing in it pulls λ back, so here the error of rounding to
    multiples of λ/T does, on average λ² / (12 T²): what is minimised is ::

        Σ_{a > λ} n (a - λ)² + λ² / (12 T²) Σ_{0 < a <= λ} n

    Its derivative vanishes at λ = Σ_{a > λ} n a / (Σ_{a > λ} n + Σ_{0 < a <= λ} n / (12 T²)), which is iterated: that converges in a
    few rounds where gradient steps need a rate (Sakr et al. 2022, arXiv:2206.06501, have this recursion for weights).

    Parameters
    ----------
    values, counts, largest, timesteps
        As of `error_minimising_scales`.

    Returns
    -------
    array (C,)
        No larger than ``largest``.
    """
    counts = counts.astype(np.float64)
    # above[c, k]: how many, and the sum, of channel c's activations from the k-th value on
    above = np.concatenate([counts[:, ::-1].cumsum(axis=1)[:, ::-1], np.zeros((len(counts), 1))], axis=1)
    sums = np.concatenate([(counts * values)[:, ::-1].cumsum(axis=1)[:, ::-1], np.zeros((len(counts), 1))], axis=1)
    total, rows = above[:, 0], np.arange(len(counts))
    scale = sums[:, 0] / np.maximum(total, 1)
    for _ in range(ROUNDS):
        first = np.searchsorted(values, scale, side="right")
        clipped = above[rows, first]
        scale = sums[rows, first] / np.maximum(clipped + (total - clipped) / (12 * timesteps**2), 1e-30)
    return np.asarray(np.minimum(scale, largest))


def _at_most(values: Array, largest: Array) -> Array:
    """1 at the last of the ascending values that is not beyond ``largest``, per channel: (C, K)."""
    last = np.maximum(np.searchsorted(values, largest, side="right") - 1, 0)
    return np.asarray(np.arange(len(values)) == last[:, None])


def _hidden(statistics: Statistics, settings: Settings) -> Array:
    """λ / Γ of one rectified layer: one number, or an array (C, 1, 1) or (C,)."""
    p = settings.percentile
    if p is None:
        return np.ones(()) / settings.payload_max
    search = SEARCHES[settings.scale]
    layer: Array = np.array([statistics.percentile(p)])
    if search is not None:
        layer = search(*statistics.distribution(), layer, settings.levels)
    if not settings.per_channel:
        return _or_one(float(layer[0])) / settings.payload_max
    channels = statistics.channel_percentiles(p)
    if search is not None:
        channels = search(*statistics.channel_distributions(), channels, settings.levels)
    floored = np.maximum(channels, CHANNEL_FLOOR * float(_or_one(float(layer[0])))) / settings.payload_max
    return np.asarray(floored.reshape(-1, *(1,) * (len(statistics.shape) - 1)))


SEARCHES: Mapping[ScaleRule, Callable[[Array, Array, Array, int], Array] | None] = {
    "percentile": None,
    "mse": error_minimising_scales,
    "balanced": balanced_scales,
}
"""What each rule makes of a histogram and the percentile, which "percentile" itself takes as it is."""


def _within_bound(relu: Relu, scale: Array, payload_max: int) -> Array:
    """λ / Γ of a ReLU that may have a bound."""
    bound = np.asarray(relu.bound, np.float64) / payload_max
    if relu.levels:
        return bound
    # A percentile comes out of a histogram: what is a bin's width from the bound is the bound.
    return np.asarray(np.where(scale >= bound * (1 - 2.0**-CHANNEL_BITS), bound, scale))


def _yield_range(ann: Ann, calibration: Calibration, scales: dict[str, Array], payload_max: int) -> None:
    """Raise λ of channels that hardly ever spike until their weights, W λ_before / λ, are no larger than those of the others.

    A small λ follows from small activations, and all weights of a layer share one range. What such a channel loses is, in absolute terms,
    what others lose: its rates are rounded to steps of no more than their largest λ / T.
    """
    for node in ann:
        if node.name not in calibration.nodes or node is ann.output:
            continue
        if other := taken_from(node):
            scales[node.name] = scales[other]
        elif isinstance(node, Relu) and _may_yield(node, scales, calibration) and _driven_by(ann, node, scales):
            scales[node.name] = _yielding(ann, node, scales, calibration.nodes[node.name], payload_max)


def _may_yield(relu: Relu, scales: Scales, calibration: Calibration) -> bool:
    """Whether channels have a λ each, no steps of training, and are known one by one: bounds differ between channels with one λ, too."""
    return scales[relu.name].size > 1 and not relu.levels and calibration.nodes[relu.name].per_channel


def _yielding(ann: Ann, relu: Relu, scales: Scales, statistics: Statistics, payload_max: int) -> Array:
    """λ / Γ of one layer of several channels."""
    scale = scales[relu.name]
    values, counts = statistics.channel_distributions()
    number = statistics.values / len(counts)
    square = counts @ np.square(values) / number
    variance = np.maximum(square - np.square(counts @ values / number), 0)
    heard = square >= QUIET * np.minimum(square, SWING * variance).mean()
    largest = _strongest(ann, relu, scales).reshape(scale.size, -1).max(axis=1)
    largest = largest / scale.ravel()
    raised = scale * np.maximum(1, largest / max(float(largest[heard].max(initial=0)), 1e-30)).reshape(scale.shape)
    most = np.minimum(relu.bound / payload_max, scale.ravel()[heard].max())
    return np.asarray(np.where(heard.reshape(scale.shape), scale, np.minimum(raised, np.maximum(most, scale))))


def _next_to_binary_weights(ann: Ann) -> set[str]:
    """Rectified nodes before or after a linear map whose weights are all +w and -w."""
    found: set[str] = set()
    for node in ann:
        if isinstance(node, Relu) and node.scale_of:
            continue  # a tree for max-pooling: it has the scale of what it pools
        for drive in _drives(ann, node) if isinstance(node, Relu) or node is ann.output else []:
            if _one_magnitude(drive.map.weight):
                source = ann[drive.inputs[0]]
                while other := taken_from(source):
                    source = ann[other]
                found |= {node.name, source.name}
    return found


def _drives(ann: Ann, node: Node) -> list[Linear]:
    """The linear maps that a rectified node, or the output, sums."""
    drives = [node] if isinstance(node, Linear) else [ann[name] for name in node.inputs]
    return [
        d for drive in drives for d in ([drive] if isinstance(drive, Linear) else _drives(ann, drive) if isinstance(drive, Add) else [])
    ]


def _driven_by(ann: Ann, relu: Relu, scales: Scales) -> bool:
    """Whether all that drives a node has a scale: a curve, which fine-tuning knows as it is, has none."""
    return all(drive.inputs[0] in scales for drive in _drives(ann, relu))


def _one_magnitude(weight: Array) -> bool:
    magnitude = np.abs(weight[weight != 0])
    return mixed(weight) and bool((magnitude == magnitude[0]).all())  # averages have one magnitude, too, and one sign


def _or_one(scale: float) -> Array:
    return np.asarray(scale if scale > 0 else 1.0, np.float64)


def silent_layers(ann: Ann, calibration: Calibration) -> tuple[str, ...]:
    """Rectified layers without a single positive activation in the calibration data."""
    silent = []
    for name, statistics in calibration.nodes.items():
        node = ann[name]
        if isinstance(node, Relu) and not node.scale_of and not statistics.nonzero:
            silent.append(name)
    return tuple(silent)
