"""Area under the curve of true against false positives, and its interval."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from loihiconv.core.linear import Array
from loihiconv.evaluation.metrics import Z95


def auroc(scores: Array, positive: Array) -> tuple[float, tuple[float, float]]:
    """Probability that a positive sample scores above a negative one, ties counting half, and its 95 % interval.

    The interval is DeLong's (DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44, 837-845): with V10 of every positive sample the share
    of negative ones below it, and V01 of every negative one the share of positive ones above, the variance is
    var(V10) / m + var(V01) / n. Ranks give both in O(N log N) (Sun and Xu 2014, IEEE Signal Processing Letters 21, 1389-1393).

    Parameters
    ----------
    scores : array (N,)
    positive : bool array (N,)

    Returns
    -------
    area : float
        NaN where samples of one kind are missing.
    interval95 : (low, high)
    """
    m, n = int(positive.sum()), int((~positive).sum())
    if not m or not n:
        return float("nan"), (float("nan"), float("nan"))
    ranks = rankdata(scores)
    v10 = (ranks[positive] - rankdata(scores[positive])) / n
    v01 = 1 - (ranks[~positive] - rankdata(scores[~positive])) / m
    area = float(v10.mean())
    variance = (v10.var(ddof=1) / m if m > 1 else 0.25) + (v01.var(ddof=1) / n if n > 1 else 0.25)
    half = Z95 * float(np.sqrt(variance))
    return area, (max(0.0, area - half), min(1.0, area + half))
