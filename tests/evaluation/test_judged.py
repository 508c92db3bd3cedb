"""How samples were judged: what comes back from a file pairs as the scores themselves do."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihiconv.core.metric import ACCURACY, RMSE, Metric
from loihiconv.evaluation.judged import Judged, samples_seen
from loihiconv.evaluation.tasks.scores import Scores, loss_between

X, Y = np.arange(24.0).reshape(6, 4), np.array([0, 1, 2, 0, 1, 2])


def scores(metric: Metric, rows: Any) -> Scores:
    if metric.counted:
        return Scores(metric, np.asarray(rows, bool)[:, None], lambda means: means[:, 0])
    return Scores(metric, np.asarray(rows, np.float64)[:, None], lambda means: np.sqrt(means).mean(axis=1))


def again(judged: Judged) -> Judged:
    return Judged.from_json(json.loads(json.dumps(judged.to_json())))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40), st.booleans())
def test_pairs_as_scores_do(pairs: list[tuple[bool, bool]], counted: bool) -> None:
    metric = ACCURACY if counted else RMSE
    before, after = (scores(metric, column) for column in zip(*pairs, strict=True))
    found = again(Judged.of(before, "s")).loss_to(again(Judged.of(after, "s")), metric, (before.value, after.value))
    expected = loss_between(before, after)
    assert found is not None
    assert (found.loss, found.changed) == (pytest.approx(expected.loss), expected.changed)
    assert found.interval95 == pytest.approx(expected.interval95, abs=1e-6)


def test_others_do_not_pair() -> None:
    one = Judged.of(scores(ACCURACY, [1, 0, 1]), "one")
    assert one.loss_to(Judged.of(scores(ACCURACY, [1, 0, 1]), "other"), ACCURACY, (1, 1)) is None
    assert one.loss_to(Judged.of(scores(RMSE, [1, 0, 1]), "one"), ACCURACY, (1, 1)) is None
    assert one.loss_to(Judged.of(scores(ACCURACY, [1, 0]), "one"), ACCURACY, (1, 1)) is None


def test_samples_are_told_by_content_and_labels() -> None:
    same = samples_seen(X, Y)
    assert same == samples_seen(X.astype(np.float32), Y)
    others = [samples_seen(X + 1, Y), samples_seen(X, Y[::-1]), samples_seen(X[:5], Y[:5]), samples_seen({"a": X}, Y)]
    assert len({same, *others}) == 5


@pytest.mark.parametrize("broken", [{}, {"right": "////", "n": 3}, {"right": "?", "n": 1}, {"drawn": "AAA="}, {"right": 3, "n": 1}])
def test_what_is_broken_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Judged.from_json({"samples": "s", **broken})
    with pytest.raises(ValueError, match=r"samples"):
        Judged.from_json({"right": "gA==", "n": 1})
