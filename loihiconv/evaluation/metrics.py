"""Figures of merit with their uncertainty; small pure functions."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from loihiconv.core.linear import Array

Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Wilson score interval of a proportion at 95 % (Wilson 1927, J. Am. Stat. Assoc. 22, 209-212).

    (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n) with p = successes / n; (0, 1) for n = 0.
    """
    if not n:
        return 0.0, 1.0
    p, z2 = successes / n, Z95**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def score(predictions: Array, y: Array) -> dict[str, Any]:
    """Accuracy on labels (N,) with N and its 95 % Wilson interval, as JSON values."""
    correct = int(np.sum(predictions == y))
    return {"accuracy": correct / len(y), "n": len(y), "wilson95": list(wilson(correct, len(y)))}


def agreement(predictions: Array, reference: Array) -> float:
    """Share of samples on which two back ends name the same class."""
    return float(np.mean(predictions == reference))
