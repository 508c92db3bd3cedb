"""Exponents of weights: small weights use their 8 bits, and what they sum up to is shifted right afterwards.

A population's gain is stopped by what its sums, biases, threshold or potential have to fit into; weights may then be far smaller than
254 and round to a few steps. With an exponent e < 0 they are stored 2^-e times as large, and the chip shifts each step's sum back::

    floor(Σ w s 2^e),    w = round(gain weight 2^-e)

The shift rounds down. Sums are multiples of some d = step 2^e, where the step of weights is 2 if signs mix and 1 if not, so that what
is cut off is spread evenly over 0, d, ..., 1 - d: (1 - d) / 2 on average, which belongs into the bias, with a variance of (1 - d^2) / 12.
"""

from __future__ import annotations

from collections.abc import Callable
from math import floor, log2

import numpy as np

from loihiconv.conversion.clipping import PAYS
from loihiconv.core.linear import Array, LinearMap
from loihiconv.core.network import WEIGHT_EXP_MIN, Connection

RATE_MEAN_SQUARE = 0.05
"""Mean square of what a spiking neuron sends per step, averaged over T, where nothing is measured: a firing rate of some 10 to 20 %."""


def widest_exponent(largest: float, limit: int) -> int:
    """The smallest exponent, -8 to 0, with which a weight of this magnitude stays within the limit."""
    return max(WEIGHT_EXP_MIN, min(0, -floor(log2(limit / largest)))) if largest > 0 else 0


def floor_loss(exponent: int, step: int) -> float:
    """What the shift cuts off on average: (1 - d) / 2 with d = step 2^exponent, in units of the sum; 0 without a shift.

    Parameters
    ----------
    exponent : int, -8 to 0
    step : int
        That all weights are multiples of.
    """
    return max(0.0, (1 - step * 2.0**exponent) / 2)


def mean_loss(connection: Connection) -> float:
    """`floor_loss` of a connection on the chip: what its shift cuts off of each step's sum on average, in units of that sum."""
    if connection.on_host or not connection.weight_exp:
        return 0.0
    return floor_loss(connection.weight_exp, int(np.gcd.reduce(connection.map.weight, axis=None)))


def floor_variance(exponent: int, step: int) -> float:
    """The variance of what the shift cuts off: (1 - d^2) / 12, as of numbers spread evenly over 0, d, ..., 1 - d."""
    return max(0.0, (1 - (step * 2.0**exponent) ** 2) / 12)


def choose_exponent(
    linear: LinearMap,
    limit: int,
    step: int,
    nearest: Callable[[Array], Array],
    mean_square: float,
    steps: int,
    lowest: int = WEIGHT_EXP_MIN,
    *,
    beyond: bool = False,
) -> int:
    """The exponent with which the sums of T steps err least: none, or the one with which weights use their range.

    Compared are, per step, steps E[r^2] mean_k Σ_i δ_ki^2, as wrong weights err alike at each step, and `floor_variance`.

    Parameters
    ----------
    linear : Dense, Conv or Sparse
        Its weights in units of the sum, that is times the gain.
    limit : int
        Largest magnitude of a stored weight.
    step : int
        Of stored weights.
    nearest : callable
        Rounds to stored weights.
    mean_square : float
        E[r^2] of what the source sends per step.
    steps : int
        T of a source that spikes, 1 of one that sends the same at each step: then what the shift cuts off is the same, too.
    lowest : int, -8 to 0
        Smallest exponent that is considered.
    beyond : bool
        Take the one below it (-1 below 0), which cuts off the largest weights, where errors fall to `PAYS`.
    """
    weight = linear.weight
    exponent = max(lowest, widest_exponent(float(np.abs(weight).max(initial=0)), limit))
    if not (exponent or beyond):
        return 0

    def error(e: int) -> float:
        wrong = nearest(weight * 2.0**-e) * 2.0**e - weight
        systematic = steps * mean_square * float(linear.row_sums(np.square(wrong)).mean())
        return systematic + (floor_variance(e, step) if e else 0.0)

    best = min((0, exponent), key=error)
    if beyond and error(max(lowest, exponent - 1)) < PAYS * error(best):
        return max(lowest, exponent - 1)
    return best
