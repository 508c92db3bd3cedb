"""Whether T time steps tell samples apart in each layer: activations may differ from sample to sample by less than rates can say.

Rates of T steps are multiples of 1 / T. What a layer hands on of a sample is how far its activations are from their usual values; a network
that was not trained, or has hard sigmoids around one half, moves them by a hundredth of λ, and outputs are then noise of conversion.
"""

from __future__ import annotations

from math import ceil

import numpy as np

from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.graph import Ann, Relu
from loihiconv.conversion.bias_correction import spread_samples
from loihiconv.conversion.data_checks import same_samples
from loihiconv.conversion.naming import population_names
from loihiconv.core import numbers as n
from loihiconv.core.linear import Array
from loihiconv.core.network import Network

SMALL = 0.03
"""Change of activations from sample to sample, as a share of λ, that trained layers exceed: in six networks they had 0.09 to 0.26."""
FEW = 8
"""Steps of a rate that activations must change by for outputs to correlate with the float network's by 0.99 or so."""
SAMPLES = 64
"""Calibration samples that this is measured on."""
MOST = 4096
"""More time steps than that are no remedy."""


def changes(ann: Ann, network: Network, x: Array) -> dict[str, float]:
    """By how much activations differ from sample to sample: {population: root mean square over neurons of the deviation of a / λ}.

    Comparisons of max-pooling, most of which are silent, are none.

    Parameters
    ----------
    ann : Ann
        After the passes.
    network : Network
        Made of it, with the scales in its record.
    x : array (N, \\*shape)
        Calibration samples.
    """
    scales = {} if network.record.calibration is None else network.record.calibration.scales
    relus = {node.name for node in ann if isinstance(node, Relu) and not node.scale_of}
    names = {node: population for node, population in population_names(ann).items() if node in relus and population in scales}
    _, kept = Evaluator(ann)(np.ascontiguousarray(spread_samples(x, SAMPLES), np.float32), keep=list(names))
    found: dict[str, float] = {}
    for node, population in names.items():
        activations = kept[node].numpy()
        unit = np.asarray(scales[population], np.float32).reshape(-1, *(1,) * (activations.ndim - 2))
        found[population] = float(np.sqrt(np.mean((activations / unit).std(axis=0) ** 2)))
    return found


def too_few_steps(ann: Ann, network: Network, x: Array) -> str:
    """What to tell the user of the layer that tells samples apart worst; empty where each does."""
    if same_samples(x):
        return ""  # which is said of calibration data
    levels = network.timesteps * network.payload_max * network.copies
    worst = min(changes(ann, network, x).items(), key=lambda item: item[1], default=None)
    if worst is None or not 0 < worst[1] < min(SMALL, FEW / levels):
        return ""
    name, change = worst
    needed = ceil(FEW / change / network.payload_max / network.copies)
    more = f"give timesteps={needed} or more" if needed <= MOST else "no number of time steps will do: is the network trained?"
    steps = change * levels
    told = (
        f"from sample to sample its activations change by {n.decimal(steps, 1 if steps >= 1 else 2)} of the {levels} levels that rates have"
    )
    return f"{name}: {told}, so that outputs follow the float network's {'hardly' if steps < 1 else 'only roughly'}; {more}"
