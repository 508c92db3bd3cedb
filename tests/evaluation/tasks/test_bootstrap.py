"""Drawing again is deterministic, as wide as theory says, and bounded in memory."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.evaluation.tasks.bootstrap import FEWEST, REPLICATES, interval, replicates


def test_the_mean_spreads_by_its_standard_error() -> None:
    rows = np.random.default_rng(0).normal(3, 2, (400, 1))
    drawn = replicates(rows, lambda means: means[:, 0])
    assert len(drawn) == REPLICATES
    assert drawn.mean() == pytest.approx(rows.mean(), abs=0.02)
    assert drawn.std() == pytest.approx(rows.std() / 20, rel=0.1)
    np.testing.assert_array_equal(drawn, replicates(rows, lambda means: means[:, 0]))


def test_many_samples_get_fewer_replicates() -> None:
    assert len(replicates(np.zeros((200_000, 1), np.float32), lambda means: means[:, 0])) == FEWEST


def test_intervals_leave_out_what_is_no_number() -> None:
    values = np.array([np.nan, *range(101)])
    assert interval(values) == pytest.approx((2.5, 97.5))
    assert np.isnan(interval(values[:1])).all()
