"""Intervals by drawing samples again (Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapters 8 and 13).

What is drawn is which samples count how often: the same draws for every step of a chain, so that differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from loihiconv.core.linear import Array

REPLICATES = 1000
FEWEST = 200
CELLS = 2**24
"""Replicates times samples that are kept; of more samples there are fewer replicates, `FEWEST` at least."""
SEED = 20160413


def replicates(rows: Array, of: Callable[[Array], Array]) -> Array:
    """A figure of samples drawn again and again: (B,), from rows (N, k) and the figure as a function of their means (B, k)."""
    return of(_weights(len(rows)) @ rows.astype(np.float32, copy=False))


def interval(values: Array) -> tuple[float, float]:
    """Percentile interval at 95 % of what replicates gave; NaN is left out."""
    known = values[np.isfinite(values)]
    if not known.size:
        return float("nan"), float("nan")
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)


@lru_cache(maxsize=2)
def _weights(n: int) -> Array:
    """How often each sample is drawn, over n: float32 (B, n)."""
    rng = np.random.default_rng(SEED)
    count = int(min(REPLICATES, max(FEWEST, CELLS // n)))
    drawn = np.empty((count, n), np.float32)
    for row in drawn:
        row[:] = np.bincount(rng.integers(0, n, n), minlength=n)
    drawn /= n
    return drawn
