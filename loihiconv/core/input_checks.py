"""Samples that do not look like those that a network was calibrated on: said, never silently clipped."""

from __future__ import annotations

import numpy as np

from loihiconv.core.input_coding import input_values
from loihiconv.core.linear import Array
from loihiconv.core.network import Input, Network

OUTSIDE = 1.25
"""Multiples of the calibrated range from which on a value counts as outside of it: test data exceeds training data by a little."""
OUTSIDE_SHARE = 0.01
"""Share of samples that may have such values."""
FILLED = 0.25
"""Share of the calibrated range that samples should reach."""
FEWEST = 5
"""Samples below which a range that is not filled says nothing."""


def doubts(network: Network, x: Array) -> tuple[str, ...]:
    """`input_doubts` of every input, of samples that `loihiconv.core.input_coding.check_samples` has given."""
    found = ((name, said) for name, values in input_values(network, x).items() for said in input_doubts(_input(network, name), values))
    return tuple(said if len(network.inputs) == 1 else f"input {name}: {said}" for name, said in found)


def _input(network: Network, name: str) -> Input:
    return next(population for population in network.inputs if population.name == name)


def input_doubts(population: Input, x: Array) -> tuple[str, ...]:
    """Reasons to doubt that samples are preprocessed as calibration's were.

    Parameters
    ----------
    population : Input
        Its ``scale`` is the largest magnitude that calibration saw.
    x : array (N, \\*sample_shape)

    Returns
    -------
    tuple of str
        Each says how many samples it is about, and what to do; empty if nothing looks wrong.
    """
    rows = np.asarray(x, np.float32).reshape(len(x), -1)
    highest, lowest, scale = rows.max(axis=1), rows.min(axis=1), population.scale
    found = []
    outside = int(((highest > OUTSIDE * scale) | (lowest < -OUTSIDE * scale)).sum())
    if outside > OUTSIDE_SHARE * len(x):
        reach = max(float(highest.max()), -float(lowest.min()))
        found.append(
            f"{outside:,} of {len(x):,} samples have values far outside of the calibrated range of {scale:.3g}, up to {reach:.3g}; they "
            "are clipped: preprocess samples as for calibration, or calibrate with samples like these"
        )
    negative = int((lowest < -(OUTSIDE - 1) * scale).sum()) if not population.signed else 0
    if negative > OUTSIDE_SHARE * len(x):
        found.append(
            f"{negative:,} of {len(x):,} samples have negative values, which calibration had not; they count as 0: preprocess samples as "
            "for calibration"
        )
    largest = max(float(highest.max()), -float(lowest.min()))
    if not found and len(x) >= FEWEST and largest < FILLED * scale:
        found.append(
            f"all {len(x):,} samples stay below {largest:.3g}, where calibration reached {scale:.3g}: preprocess samples as for "
            "calibration (0 to 1 or 0 to 255? mean and std?)"
        )
    return tuple(found)
