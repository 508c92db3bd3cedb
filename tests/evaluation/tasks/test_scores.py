"""Values, intervals and paired losses, whatever the metric."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.core.errors import InvalidData
from loihiconv.evaluation.pairing import paired_loss
from loihiconv.evaluation.tasks.answers import Answers, End
from loihiconv.evaluation.tasks.kinds import Binary, Classification, Dense, Multilabel, Regression, TaskKind
from loihiconv.evaluation.tasks.scores import Scores, loss_between

KINDS: list[tuple[TaskKind, tuple[int, ...]]] = [
    (Classification(End((3,))), (3,)),
    (Binary(End((1,))), (1,)),
    (Multilabel(End((3,))), (3,)),
    (Regression(End((2,))), (2,)),
    (Dense(End((3, 2, 2))), (3, 2, 2)),
]


def labels(kind: TaskKind, rng: np.random.Generator, n: int) -> np.ndarray:
    match kind.name:
        case "classification":
            return rng.integers(0, 3, n)
        case "binary":
            return rng.integers(0, 2, n) > 0
        case "multilabel":
            return rng.integers(0, 2, (n, 3)) > 0
        case "regression":
            return rng.normal(size=(n, 2))
        case _:
            return rng.integers(0, 3, (n, 4))


@pytest.mark.parametrize(("kind", "shape"), KINDS)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 999))
def test_losses_of_steps_add_up_and_have_the_sign_of_what_is_worse(kind: TaskKind, shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = labels(kind, rng, 30)
    steps = [kind.score(Answers(rng.normal(size=(30, *shape))), y) for _ in range(3)]
    first, second, whole = loss_between(*steps[:2]), loss_between(*steps[1:]), loss_between(steps[0], steps[2])
    assert first.loss + second.loss == pytest.approx(whole.loss)
    better = (steps[0].value > steps[1].value) if kind.metric.rises else (steps[0].value < steps[1].value)
    assert (first.loss > 0) == better
    assert first.interval95[0] <= first.loss + 0.05
    assert first.loss - 0.05 <= first.interval95[1]
    back = loss_between(steps[1], steps[0])
    assert back.interval95 == pytest.approx((-first.interval95[1], -first.interval95[0]), abs=1e-6)
    same = loss_between(steps[0], steps[0], same=True)
    assert (same.loss, same.interval95, same.changed, same.significant) == (0, (0, 0), False, False)


def test_intervals_hold_what_is_true_as_often_as_they_say() -> None:
    """RMSE of a normal error is its standard deviation: of 200 test sets, 95 % of intervals hold it."""
    rng = np.random.default_rng(0)
    kind, held = Regression(End((1,))), 0
    for _ in range(200):
        low, high = kind.score(Answers(rng.normal(0, 2, (80, 1))), np.zeros((80, 1))).interval95
        held += low <= 2 <= high
    assert 0.88 <= held / 200 <= 0.99


def test_counted_metrics_are_paired_by_sample() -> None:
    before, after = np.arange(20) < 15, np.arange(20) % 2 == 0
    scores = [Scores(Classification.metric, right[:, None], lambda means: means[:, 0]) for right in (before, after)]
    assert loss_between(*scores) == paired_loss(before, after)
    with pytest.raises(InvalidData, match="20 and 10 samples; the same ones"):
        loss_between(scores[0], Scores(Classification.metric, before[:10, None], lambda means: means[:, 0]))
