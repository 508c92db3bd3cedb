"""Adaptive rounding: whole-numbered weights whose errors make up for each other on calibration data.

Rounding each weight to its nearest makes every single error as small as it can be, and leaves their sum, weighted by what the layer
receives, to chance. Inputs of a layer go together (neighbouring pixels, channels that see the same), so that the error of one weight
can be taken back by others. That is OPTQ (Frantar et al. 2022, arXiv:2210.17323), here in the equivalent form of Chee et al. 2023
(QuIP, arXiv:2307.13304, section 3), which needs no inverse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from loihiconv.core.linear import Array

DAMPING = 0.01
"""Added to the diagonal of a covariance, as a share of its mean: what a few hundred samples cannot know."""
COLUMNS = 128
"""Weights of a row whose errors are carried on together."""

Covariances: TypeAlias = Mapping[tuple[str, str], Array]
"""Covariance of what a connection's weights are multiplied with, by (source, target): arrays (groups, K, K).

`loihiconv.conversion.covariances` measures them.
"""


def expected_error(wrong: Array, covariance: Array) -> float:
    """Mean over outputs of δ H δ', the expected squared error of a sum whose weights are wrong by δ.

    Parameters
    ----------
    wrong : array
        Of a map's weights, (out, in) or (C_out, C_in / groups, kH, kW).
    covariance : array (groups, K, K)
        Inputs that it does not know, such as a bias plane, are the last ones and do not vary.
    """
    rows = _by_group(wrong, covariance)[:, :, : covariance.shape[1]]
    return float(((rows @ covariance) * rows).sum(axis=2).mean())


def adaptive_weights(weight: Array, covariance: Array, nearest: Callable[[Array], Array], *, damping: float = DAMPING) -> Array:
    """Round weights one input after the other, and let later ones make up for the errors of earlier ones.

    With H = U D U', D diagonal and U of ones on its diagonal and zeros below it, weight k of a row becomes ::

        q_k = nearest(w_k + Σ_{j<k} (w_j - q_j) U_jk)

    Of all ways to carry errors on, this one makes the expected squared error of the row's sum, (w - q) H (w - q)', smallest (QuIP,
    theorem 1). Inputs are taken in descending order of their variance; where nothing varies, weights become the nearest.

    Parameters
    ----------
    weight : float array
        Of a map, in units of the integers.
    covariance : array (groups, K, K)
        As in `expected_error`.
    nearest : callable
        Rounds an array to allowed integers, value by value.
    damping : float
        Added to H's diagonal, as a share of its mean.

    Returns
    -------
    int32 array like ``weight``
    """
    grouped = _by_group(weight, covariance).astype(np.float64)
    result = np.empty(grouped.shape, np.int32)
    for rows, h, out in zip(grouped, covariance, result, strict=True):
        known = len(h)
        variance = np.diag(h)
        order = np.argsort(-variance, kind="stable")
        floor = max(damping * float(variance.mean()), 1e-12)
        upper = _unit_upper((h + floor * np.eye(known))[np.ix_(order, order)])
        out[:, order] = _carried(rows[:, order], upper, nearest)
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


def _unit_upper(h: Array) -> Array:
    """U of H = U D U'."""
    factor = np.linalg.cholesky(h[::-1, ::-1])[::-1, ::-1]  # H = R R', R upper
    return np.asarray(factor / np.diag(factor))


def _by_group(weight: Array, covariance: Array) -> Array:
    """(groups, outputs of a group, K)."""
    groups = len(covariance)
    return weight.reshape(groups, len(weight) // groups, -1)
