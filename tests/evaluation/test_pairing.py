"""Paired comparisons: exact tests by hand, score intervals against the definition solved by another program."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihiconv.core.errors import InvalidData
from loihiconv.evaluation.metrics import Z95
from loihiconv.evaluation.pairing import mcnemar, paired_loss, tango


def test_mcnemar_by_hand() -> None:
    # 6 coins, at most one head: (1 + 6) / 64, both sides
    assert mcnemar(5, 1) == mcnemar(1, 5) == 14 / 64
    assert mcnemar(0, 0) == 1
    assert mcnemar(4, 4) == 1


@given(st.integers(0, 80), st.integers(0, 80))
def test_mcnemar_against_scipy(b: int, c: int) -> None:
    from scipy.stats import binomtest  # takes a second

    expected = binomtest(b, b + c, 0.5).pvalue if b + c else 1.0
    assert mcnemar(b, c) == pytest.approx(expected, rel=1e-9)


def score(b: int, c: int, n: int, delta: float) -> float:
    """Tango's statistic, with the restricted maximum likelihood found by a search."""

    def minus_log_likelihood(q: float) -> float:
        first, rest = q + delta, 1 - 2 * q - delta
        cells = ((b, first), (c, q), (n - b - c, rest))
        return -sum(k * np.log(max(p, 1e-300)) for k, p in cells if k)

    from scipy.optimize import minimize_scalar  # takes half a second

    low, high = max(0.0, -delta), (1 - delta) / 2
    q = minimize_scalar(minus_log_likelihood, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    return abs(b - c - n * delta) / sqrt(n * (2 * q + delta * (1 - delta)))


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 200))
def test_tango_against_its_definition(b: int, c: int, rest: int) -> None:
    n = b + c + rest
    low, high = tango(b, c, n)
    assert low <= (b - c) / n <= high
    for end in (low, high):
        if abs(end) < 1 - 1e-6:
            assert score(b, c, n, end) == pytest.approx(Z95, rel=2e-3)
    assert tango(c, b, n) == pytest.approx((-high, -low), abs=1e-9)


def test_paired_loss() -> None:
    before, after = np.array([1, 1, 1, 0, 0], bool), np.array([1, 0, 0, 1, 0], bool)
    loss = paired_loss(before, after)
    assert (loss.lost, loss.gained, loss.n, loss.loss) == (2, 1, 5, 0.2)
    assert not loss.significant
    same = paired_loss(before, before, same=True)
    assert (same.loss, same.interval95, same.p_value) == (0, (0.0, 0.0), 1)
    assert paired_loss(np.ones(100, bool), np.arange(100) >= 20).significant
    with pytest.raises(InvalidData, match="5 and 4 samples"):
        paired_loss(before, after[:4])
