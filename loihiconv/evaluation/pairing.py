"""Two classifiers on the same samples: what the second loses, with its uncertainty.

Accuracies of two steps are measured on the same images, so their difference rests only on the images that they decide
differently: b that only the first gets right and c that only the second does. The loss is (b - c) / n.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from loihiconv.core.errors import InvalidData
from loihiconv.core.linear import Array
from loihiconv.evaluation.metrics import Z95

BISECTIONS = 60
"""Halvings of an interval of length 2: beyond float64."""


@dataclass(frozen=True)
class PairedLoss:
    """What a step loses.

    Attributes
    ----------
    n : int
        Samples.
    loss : float
        How much worse it is after than before; accuracy before minus accuracy after.
    interval95 : (low, high)
        Of the loss; (0, 0) where both are the same network.
    changed : bool
        Whether some sample is judged otherwise.
    lost, gained : int or None
        Where samples are counted: those that only the classifier before gets right, and only the one after.
    p_value : float or None
        Then the exact McNemar test of "the step changes nothing".
    """

    n: int
    loss: float
    interval95: tuple[float, float]
    changed: bool
    lost: int | None = None
    gained: int | None = None
    p_value: float | None = None

    @property
    def significant(self) -> bool:
        """Whether the interval excludes a loss of 0."""
        return not self.interval95[0] <= 0 <= self.interval95[1]


def paired_loss(before: Array, after: Array, *, same: bool = False) -> PairedLoss:
    """Compare two classifiers on the same samples; the interval is Tango's.

    Parameters
    ----------
    before, after : bool arrays (N,)
        Which samples each gets right.
    same : bool
        That both are one and the same classifier, so that no sample of any size could tell them apart.

    Raises
    ------
    InvalidData
        If they are of different samples, or of none.
    """
    before, after = np.asarray(before, bool), np.asarray(after, bool)
    if before.shape != after.shape or not before.size:
        raise InvalidData(f"{before.size} and {after.size} samples", where="paired comparison", limit="the same ones, at least 1, expected")
    n, lost, gained = before.size, int((before & ~after).sum()), int((after & ~before).sum())
    interval = (0.0, 0.0) if same else tango(lost, gained, n)
    return PairedLoss(n, (lost - gained) / n, interval, bool(lost + gained), lost, gained, mcnemar(lost, gained))


def mcnemar(b: int, c: int) -> float:
    """Two-sided p-value of the exact McNemar test (McNemar 1947, Psychometrika 12, 153-157).

    Without a difference, each of the b + c samples that only one classifier gets right is as likely to be the one's as the
    other's: p = min(1, 2 P(X <= min(b, c))) with X binomial of b + c and 1/2. 1 where there are none.
    """
    m = b + c
    tail = term = 1
    for k in range(1, min(b, c) + 1):
        term = term * (m - k + 1) // k
        tail += term
    return min(1.0, 2 * tail / 2**m) if m else 1.0


def tango(b: int, c: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Score interval of a difference of paired proportions (Tango 1998, Statistics in Medicine 17, 891-908).

    All Δ that a score test does not reject::

        |b - c - n Δ| <= z sqrt(n (2 q + Δ (1 - Δ)))

    with q the most likely probability of c's cell given Δ, the larger root of 2 n q² + B q + C = 0, where
    B = -b - c + (2 n - b + c) Δ and C = -c Δ (1 - Δ). Close to its nominal coverage even for small or empty cells.
    """
    estimate = (b - c) / n

    def accepted(delta: float) -> bool:
        return abs(b - c - n * delta) <= z * sqrt(max(n * (2 * _restricted(b, c, n, delta) + delta * (1 - delta)), 0.0))

    return _edge(estimate, -1.0, accepted), _edge(estimate, 1.0, accepted)


def _restricted(b: int, c: int, n: int, delta: float) -> float:
    linear = -b - c + (2 * n - b + c) * delta
    constant = -c * delta * (1 - delta)
    return max((sqrt(max(linear * linear - 8 * n * constant, 0.0)) - linear) / (4 * n), 0.0, -delta)


def _edge(inside: float, outside: float, accepted: Callable[[float], bool]) -> float:
    """Where acceptance ends between a point that is accepted and the end of the range."""
    if accepted(outside):
        return outside
    for _ in range(BISECTIONS):
        middle = (inside + outside) / 2
        if accepted(middle):
            inside = middle
        else:
            outside = middle
    return inside
