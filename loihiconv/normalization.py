"""How to choose the scales λ that turn activations into firing rates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from loihiconv.ann import Ann, MaxPool, Relu
from loihiconv.calibration import Calibration
from loihiconv.errors import InvalidSetting
from loihiconv.linear import Array

Scales = Mapping[str, Array]
"""λ per node: a float64 array that broadcasts to the node's shape, one number per layer or per channel."""


CHANNEL_FLOOR = 0.1
"""A channel's λ is at least this share of its layer's: all weights of a layer have one range of 8 bits in common."""


def percentile_scales(
    ann: Ann, calibration: Calibration, percentile: float | None = 99.9, *, per_channel: bool = False
) -> dict[str, Array]:
    """λ_l = p-th percentile of the layer's non-zero activations (Rueckauer et al. 2016, section 3.2.2).

    The input's and the output's λ are their largest magnitudes: payloads must not be clipped, and potentials should
    not saturate. A layer that is silent on all calibration data gets λ = 1. Max-pooling keeps the λ of what it pools.

    Parameters
    ----------
    percentile : float in (0, 100] or None
        100 is the "max-norm" of section 3.2.1; None leaves hidden layers as they are, λ = 1.
    per_channel : bool
        One λ per channel (per neuron of dense layers), an extension of the paper: the percentile of the channel's own
        activations, but at least `CHANNEL_FLOOR` times the layer's. The calibration must have been told.

    Returns
    -------
    {node: λ}, for the input, every Relu and MaxPool, and the output
    """
    if percentile is not None and not 0 < percentile <= 100:
        raise InvalidSetting(
            f"percentile {percentile}", where="percentile", limit="above 0 and at most 100", remedy="99.9 suits most networks"
        )
    scales: dict[str, Array] = {}
    for name, statistics in calibration.nodes.items():
        node = ann[name]
        if isinstance(node, MaxPool) or (isinstance(node, Relu) and node.scale_of):
            # Connections among such populations have weights of one, and whatever they do is the same for every λ.
            scales[name] = scales[node.scale_of if isinstance(node, Relu) else node.inputs[0]]
        elif not isinstance(node, Relu):
            scales[name] = _or_one(statistics.largest_magnitude)
        elif percentile is None:
            scales[name] = np.ones(())
        else:
            scales[name] = _or_one(statistics.percentile(percentile))
            if per_channel:
                channels = statistics.channel_percentiles(percentile)
                floored = np.maximum(channels, CHANNEL_FLOOR * scales[name])
                scales[name] = floored.reshape(-1, *(1,) * (len(statistics.shape) - 1))
    return scales


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
