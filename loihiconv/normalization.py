"""How to choose the scales λ that turn activations into firing rates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from loihiconv.ann import Ann, Relu
from loihiconv.calibration import Calibration
from loihiconv.errors import InvalidSetting
from loihiconv.linear import Array

Scales = Mapping[str, Array]
"""λ per node: a float64 array that broadcasts to the node's shape, one number per layer or per channel."""


def percentile_scales(ann: Ann, calibration: Calibration, percentile: float = 99.9) -> dict[str, Array]:
    """λ_l = p-th percentile of the layer's non-zero activations (Rueckauer et al. 2016, section 3.2.2).

    The input's and the output's λ are their largest magnitudes: payloads must not be clipped, and potentials should
    not saturate. A layer that is silent on all calibration data gets λ = 1.

    Parameters
    ----------
    percentile : float in (0, 100]
        100 is the "max-norm" of section 3.2.1.

    Returns
    -------
    {node: λ}, for the input, every Relu and the output
    """
    if not 0 < percentile <= 100:
        raise InvalidSetting(
            f"percentile {percentile}", where="percentile", limit="above 0 and at most 100", remedy="99.9 suits most networks"
        )
    scales: dict[str, Array] = {}
    for name, statistics in calibration.nodes.items():
        scale = statistics.percentile(percentile) if isinstance(ann[name], Relu) else statistics.largest_magnitude
        scales[name] = np.asarray(scale if scale > 0 else 1.0, np.float64)
    return scales


def silent_layers(ann: Ann, calibration: Calibration) -> tuple[str, ...]:
    """Rectified layers without a single positive activation in the calibration data."""
    return tuple(name for name, s in calibration.nodes.items() if isinstance(ann[name], Relu) and not s.nonzero)
