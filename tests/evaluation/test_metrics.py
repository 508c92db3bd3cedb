"""Figures of merit."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.evaluation.metrics import agreement, score, wilson


@pytest.mark.parametrize(("successes", "n"), [(9788, 10000), (20, 20), (0, 10), (1, 2), (1, 1), (0, 1)])
def test_wilson_against_scipy(successes: int, n: int) -> None:
    from scipy.stats import binomtest  # takes a second

    expected = binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("n", range(1, 300))
def test_a_proportion_stays_one(n: int) -> None:
    """Rounding would leave 0 and 1 by an ulp."""
    assert wilson(0, n)[0] >= 0
    assert wilson(n, n)[1] <= 1


def test_score() -> None:
    assert score(np.array([1, 2, 3, 4]), np.array([1, 2, 0, 4])) == {"accuracy": 0.75, "n": 4, "wilson95": list(wilson(3, 4))}


def test_agreement() -> None:
    assert agreement(np.array([1, 2, 3, 4]), np.array([1, 2, 0, 4])) == 0.75
