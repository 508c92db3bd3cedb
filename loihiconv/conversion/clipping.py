"""How far the largest weights are cut off, so that all others have a finer step.

A connection has one step for all of its weights, and with few bits a few large ones leave the rest a handful of values. A gain beyond
the one with which the largest weight fits cuts it off and rounds the rest less; what errs least in sum is taken. Skip connections, whose
outputs have one weight each, are never cut off: no other weight makes up for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np

from loihiconv.core.fixed_point import round_weights, weight_limit
from loihiconv.core.linear import Array, LinearMap

RATIO = 2**0.25
"""Between gains that are tried, one after the other."""
TRIED = 11
"""Gains that are tried: up to 5.7 times the one with which the largest weight fits."""
FEW_BITS = 7
"""Weights of no more bits are cut off, get scales of their own and are repaired; 8 bits lose next to nothing and stay as they are."""
PAYS = 0.7
"""What the mean square error must fall to, as a share of what it is, for anything to change."""


def rounding_errors(linear: LinearMap, factor: float, weight_bits: int, activity: Array | float = 1.0) -> Array:
    """Mean square error of each output's sum, for weights rounded to the nearest or cut off: Σ_k (q_k / factor - w_k)² E_k.

    Parameters
    ----------
    linear : Dense, Conv or Sparse
        w, float.
    factor : float
        Turns weights into integers.
    weight_bits : int
    activity : float or array like the weights
        E, the variance or mean square of what each weight is multiplied with.

    Returns
    -------
    float64 array, as `LinearMap.row_sums` gives it
    """
    weight = linear.weight.astype(np.float64)
    integers = round_weights(weight * factor, weight_bits=weight_bits)
    return linear.row_sums(np.square(integers / factor - weight) * activity)


def best_clipping(maps: Sequence[tuple[LinearMap, float]], weight_bits: int) -> float:
    """What a gain is multiplied by beyond the one with which the largest weight fits: 1 unless errors fall to `PAYS` of what they were.

    Parameters
    ----------
    maps : sequence of (map, factor)
        All that comes into one population, with what turns its weights into integers where the largest of all fits. Those that are
        `level` do not gain by it, and all of their weights still fit.
    weight_bits : int
    """
    if weight_bits > FEW_BITS:
        return 1.0
    uneven = [(m, f) for m, f in maps if not level(m)]
    if not uneven:
        return 1.0
    errors: list[float] = []
    for i in range(TRIED):
        errors.append(sum(float(rounding_errors(m, f * RATIO**i, weight_bits).mean()) for m, f in uneven))
        if errors[-1] > 1.2 * min(errors):
            break
    best = int(np.argmin(errors))
    room = min((fitting_factor(m, weight_bits) / f for m, f in maps if level(m)), default=inf)
    return max(1.0, min(RATIO**best, room)) if errors[best] < PAYS * errors[0] else 1.0


def level(linear: LinearMap) -> bool:
    """Whether all weights of an output, but for zeros, are of one magnitude: skip connections, sums and averages.

    By Cauchy and Schwarz, (Σ|w|)² = n Σw² for n weights of one magnitude, and less for others.
    """
    size = np.abs(linear.weight.astype(np.float64))
    return bool((linear.row_sums(size) ** 2 >= (1 - 1e-6) * linear.row_sums(size > 0) * linear.row_sums(size**2)).all())


def fitting_factor(linear: LinearMap, weight_bits: int) -> float:
    """The factor with which the largest weight is the largest integer; infinite where all are zero."""
    largest = float(np.abs(linear.weight).max(initial=0))
    return weight_limit(linear.weight, weight_bits) / largest if largest > 0 else inf
