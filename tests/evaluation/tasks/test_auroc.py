"""The area is scikit-learn's, the interval covers what it should, and DeLong's variance is that of the definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.evaluation.metrics import Z95
from loihiconv.evaluation.tasks.auroc import auroc


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 9999), st.integers(4, 40))
def test_against_the_definition(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    scores, positive = np.round(rng.normal(size=n), 1), np.arange(n) % 2 == 0
    above = np.sign(scores[positive][:, None] - scores[~positive][None]) / 2 + 0.5
    area, (low, high) = auroc(scores, positive)
    assert area == pytest.approx(above.mean())
    variance = above.mean(axis=1).var(ddof=1) / positive.sum() + above.mean(axis=0).var(ddof=1) / (~positive).sum()
    half = Z95 * np.sqrt(variance)
    assert (low, high) == pytest.approx((max(0, area - half), min(1, area + half)))


def test_without_one_kind_there_is_none() -> None:
    assert np.isnan(auroc(np.arange(3.0), np.ones(3, bool))[0])
    assert auroc(np.array([0.0, 1.0]), np.array([False, True]))[0] == 1
