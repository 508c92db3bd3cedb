"""Adaptive rounding: whole-numbered weights whose errors make up for each other on calibration data.

Rounding each weight to its nearest makes every single error as small as it can be, and leaves their sum, weighted by what the layer
receives, to chance. Inputs of a layer go together (neighbouring pixels, channels that see the same), so that the error of one weight
can be taken back by others. That is OPTQ (Frantar et al. 2022, arXiv:2210.17323), here in the equivalent form of Chee et al. 2023
(QuIP, arXiv:2307.13304, section 3), which needs no inverse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import inf, isinf
from typing import TypeAlias

import numpy as np

from loihiconv.core.fixed_point import round_weights
from loihiconv.core.linear import Array, LinearMap

DAMPING = 0.01
"""Added to the diagonal of a covariance, as a share of its mean: what a few hundred samples cannot know."""
MOST_DAMPING = 1.0
"""Up to which damping is raised, tenfold each time, for a covariance that is not positive definite."""
COLUMNS = 128
"""Weights of a row whose errors are carried on together."""


@dataclass(frozen=True, eq=False)
class Covariance:
    """What is known of the inputs that a connection's weights are multiplied with.

    Attributes
    ----------
    values : array (groups, K, K)
        Inputs that it does not know, such as a bias plane, are the last ones of a kernel and do not vary.
    damping : float
        Added to the diagonal, as a share of its mean. The more, the less is carried on; infinite: nothing, each weight becomes its
        nearest.
    optimism : float
        How many times larger `expected_error` is on samples that the rounding did not see.
    """

    values: Array
    damping: float = DAMPING
    optimism: float = 1.0

    @property
    def definite(self) -> bool:
        """Whether rounding can go by it: all groups are positive definite after damping, if perhaps a stronger one."""
        return isinf(self.damping) or all(upper is not None for _, upper in self.factors)

    @cached_property
    def factors(self) -> tuple[tuple[Array, Array | None], ...]:
        """For each group the order of its inputs, descending in variance, and U of H = U D U' in that order, or None."""
        result = []
        for h in self.values:
            order = np.argsort(-np.diag(h), kind="stable")
            result.append((order, _unit_upper(h[np.ix_(order, order)], self.damping)))
        return tuple(result)


Covariances: TypeAlias = Mapping[str, tuple[Covariance | None, ...]]
"""By population, one for each of the connections into it, in the order of `Network.incoming`; None where nothing is known.

`loihiconv.conversion.covariances` measures them.
"""


def expected_error(wrong: Array, covariance: Array) -> float:
    """Mean over outputs of δ H δ', the expected squared error of a sum whose weights are wrong by δ.

    Parameters
    ----------
    wrong : array
        Of a map's weights, (out, in) or (C_out, C_in / groups, kH, kW).
    covariance : array (groups, K, K)
        H; see `Covariance`.
    """
    rows = _by_group(wrong, covariance)[:, :, : covariance.shape[1]]
    return float(((rows @ covariance) * rows).sum(axis=2).mean())


def rounded(linear_map: LinearMap, factor: float, weight_bits: int, covariance: Covariance | None = None) -> LinearMap:
    """A map times a factor with the chip's weights, see `loihiconv.core.fixed_point.round_weights`: adaptively with a covariance.

    Weights of one sign keep it: errors that are carried on stop at zero, for signs that mix take even numbers and half of the range.
    """
    weight = linear_map.weight.astype(np.float64) * factor
    negative, positive = bool((weight < 0).any()), bool((weight > 0).any())

    def nearest(values: Array) -> Array:
        values = np.clip(values, -inf if negative else 0, inf if positive else 0)
        return round_weights(values, weight_bits=weight_bits, even=negative and positive)

    return linear_map.with_weight(nearest(weight) if covariance is None else adaptive_weights(weight, covariance, nearest))


def adaptive_weights(weight: Array, covariance: Covariance, nearest: Callable[[Array], Array]) -> Array:
    """Round weights one input after the other, and let later ones make up for the errors of earlier ones.

    With H = U D U', D diagonal and U of ones on its diagonal and zeros below it, weight k of a row becomes ::

        q_k = nearest(w_k + Σ_{j<k} (w_j - q_j) U_jk)

    Of all ways to carry errors on, this one makes the expected squared error of the row's sum, (w - q) H (w - q)', smallest (QuIP,
    theorem 1). Inputs are taken in descending order of their variance; where nothing varies, or H is not definite, weights become
    the nearest.

    Parameters
    ----------
    weight : float array
        Of a map, in units of the integers.
    covariance : Covariance
    nearest : callable
        Rounds an array to allowed integers, value by value.

    Returns
    -------
    int32 array like ``weight``
    """
    if isinf(covariance.damping):
        return nearest(weight)
    grouped = _by_group(weight, covariance.values).astype(np.float64)
    result = np.empty(grouped.shape, np.int32)
    for rows, (order, upper), out in zip(grouped, covariance.factors, result, strict=True):
        known = len(order)
        out[:, order] = nearest(rows[:, order]) if upper is None else _carried(rows[:, order], upper, nearest)
        out[:, known:] = nearest(rows[:, known:])
    return result.reshape(weight.shape)


def _carried(w: Array, upper: Array, nearest: Callable[[Array], Array]) -> Array:
    q, wrong = np.empty(w.shape, np.int32), np.empty(w.shape)
    for begin in range(0, w.shape[1], COLUMNS):
        end = min(begin + COLUMNS, w.shape[1])
        block = w[:, begin:end] + wrong[:, :begin] @ upper[:begin, begin:end]
        for k in range(begin, end):
            q[:, k] = nearest(block[:, k - begin] + wrong[:, begin:k] @ upper[begin:k, k])
            wrong[:, k] = w[:, k] - q[:, k]
    return q


def _unit_upper(h: Array, damping: float) -> Array | None:
    """U of H + damping * mean variance = U D U', with as much more damping as it takes; None where even `MOST_DAMPING` is too little."""
    h = (h.astype(np.float64) + h.T) / 2
    mean = float(np.diag(h).mean())
    if mean == 0:
        return np.eye(len(h))
    while mean > 0 and np.isfinite(h).all():
        try:
            reverse = np.linalg.cholesky((h + damping * mean * np.eye(len(h)))[::-1, ::-1])
        except np.linalg.LinAlgError:
            if damping >= MOST_DAMPING:
                return None
            damping *= 10
            continue
        factor = reverse[::-1, ::-1]  # H = R R', R upper
        return np.asarray(factor / np.diag(factor))
    return None


def _by_group(weight: Array, covariance: Array) -> Array:
    """(groups, outputs of a group, K)."""
    groups = len(covariance)
    return weight.reshape(groups, len(weight) // groups, -1)
