"""Every task's figures are scikit-learn's, and so are their parts; what cannot be judged is refused."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.core.errors import InvalidData
from loihiconv.core.linear import Array
from loihiconv.evaluation.tasks.answers import Answers, End
from loihiconv.evaluation.tasks.kinds import Binary, Classification, Dense, Multilabel, Regression, kind_of

SEEDS = st.integers(0, 2**32 - 1)
EXAMPLES = settings(max_examples=30, deadline=None)


def drawn(seed: int, *shape: int) -> tuple[np.random.Generator, Array]:
    rng = np.random.default_rng(seed)
    return rng, np.round(rng.normal(size=shape), 1)  # with ties


@EXAMPLES
@given(SEEDS, st.integers(1, 40), st.integers(2, 5))
def test_classification(seed: int, n: int, classes: int) -> None:
    from sklearn.metrics import accuracy_score  # takes a second

    rng, outputs = drawn(seed, n, classes)
    y = rng.integers(0, classes, n)
    kind = Classification(End((classes,)))
    scores = kind.score(Answers(outputs), kind.labels(y))
    assert scores.value == accuracy_score(y, outputs.argmax(axis=1))
    assert kind.score(Answers(outputs, named=y), y).value == 1


@EXAMPLES
@given(SEEDS, st.integers(2, 40))
def test_binary(seed: int, n: int) -> None:
    from sklearn.metrics import accuracy_score, roc_auc_score

    rng, outputs = drawn(seed, n)
    y = rng.integers(0, 2, n)
    y[:2] = 0, 1
    for end, values, threshold in ((End((1,)), outputs[:, None], 0), (End((), 0, 0, 1), 1 / (1 + np.exp(-outputs)), 0.5)):
        kind = Binary(end)
        scores = kind.score(Answers(values), kind.labels(y))
        assert scores.value == accuracy_score(y, values.ravel() > threshold)
        (area,) = scores.figures
        assert area.value == pytest.approx(roc_auc_score(y, values.ravel()), abs=1e-12)
        assert 0 <= area.interval95[0] <= area.value <= area.interval95[1] <= 1
    assert kind_of("binary", End((1,))).score(Answers(outputs[:, None]), np.ones(n, bool)).figures == ()  # of one kind alone


@EXAMPLES
@given(SEEDS, st.integers(1, 40), st.integers(1, 4))
def test_multilabel(seed: int, n: int, labels: int) -> None:
    from sklearn.metrics import f1_score

    rng, outputs = drawn(seed, n, labels)
    y = rng.integers(0, 2, (n, labels))
    kind = Multilabel(End((labels,)))
    scores = kind.score(Answers(outputs), kind.labels(y))
    per = [f1_score(y[:, k], outputs[:, k] > 0, zero_division=0) for k in range(labels)]
    assert scores.parts == pytest.approx(per)
    assert scores.value == pytest.approx(np.mean(per))
    assert kind.agreement(Answers(outputs), Answers(-outputs)) == np.mean(outputs == 0)


@EXAMPLES
@given(SEEDS, st.integers(2, 40), st.integers(1, 3))
def test_regression(seed: int, n: int, targets: int) -> None:
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    rng, outputs = drawn(seed, n, targets)
    y = outputs + rng.normal(size=(n, targets)) * 0.5 + 100
    y[:, 0] = 100 if seed % 3 == 0 else y[:, 0]  # a target that is constant
    kind = Regression(End((targets,)))
    scores = kind.score(Answers(outputs), kind.labels(y))
    assert scores.value == pytest.approx(root_mean_squared_error(y, outputs))
    mae, r2 = scores.figures
    assert mae.value == pytest.approx(mean_absolute_error(y, outputs))
    assert r2.value == pytest.approx(r2_score(y, outputs), rel=1e-6)
    assert scores.interval95[0] <= scores.value * 1.2
    assert kind.agreement(Answers(outputs), Answers(outputs)) is None
    exact = kind.score(Answers(y), y)
    assert (exact.value, exact.figures[1].value) == (0, 1)


@EXAMPLES
@given(SEEDS, st.integers(1, 6), st.integers(2, 4))
def test_dense(seed: int, n: int, classes: int) -> None:
    from sklearn.metrics import accuracy_score, jaccard_score

    rng, outputs = drawn(seed, n, classes, 3, 4)
    y = rng.integers(0, classes, (n, 3, 4))
    y[rng.random(y.shape) < 0.2] = rng.choice([-1, 255])
    y[0, 0, 0] = 0
    kind = Dense(End((classes, 3, 4)))
    labels = kind.labels(y)
    scores = kind.score(Answers(outputs), labels)
    judged = labels.ravel() >= 0
    said = outputs.argmax(axis=1).ravel()[judged]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = jaccard_score(labels.ravel()[judged], said, average="macro")
    assert scores.value == pytest.approx(expected)
    assert scores.figures[0].value == pytest.approx(accuracy_score(labels.ravel()[judged], said))
    assert len(scores.parts) == classes
    np.testing.assert_array_equal(kind.labels(labels), labels)


def test_pixels_of_one_channel_say_yes_or_no() -> None:
    kind = Dense(End((1, 2, 2)))
    outputs = np.array([[[[1.0, -1.0], [2.0, -2.0]]]])
    labels = kind.labels(np.array([[[1, 0], [0, 0]]]))
    assert kind.score(Answers(outputs), labels).parts == pytest.approx((2 / 3, 1 / 2))


def test_images_of_numbers_are_one_target() -> None:
    kind = Regression(End((2, 3, 3)))
    x = np.random.default_rng(0).normal(size=(5, 2, 3, 3))
    scores = kind.score(Answers(x + 0.5), kind.labels(x))
    assert scores.value == pytest.approx(0.5)
    assert scores.figures[1].value == pytest.approx(1 - 0.25 / x.var())


def test_indices_are_classes() -> None:
    y = np.array([0, 2, 1])
    assert Classification(End((), 3)).score(Answers(np.array([0.0, 2.0, 2.0])), y).value == pytest.approx(2 / 3)
    labels = Dense(End((2, 2), 4)).labels(np.zeros((1, 2, 2), int))
    assert Dense(End((2, 2), 4)).score(Answers(np.full((1, 2, 2), 3.0)), labels).value == 0
    with pytest.raises(InvalidData, match="labels from 0 to 3; 0 to 2"):
        Classification(End((), 3)).labels(np.array([3, 0]))


def test_probabilities_that_float32_takes_for_one_are_a_tie() -> None:
    kind = Classification(End((2,), 0, 0, 1))
    assert kind.decisions(Answers(np.array([[1 - 1e-12, 1 - 1e-13]]))).tolist() == [0]
    assert Classification(End((2,))).decisions(Answers(np.array([[1 - 1e-12, 1 - 1e-13]]))).tolist() == [1]


def test_thresholds_follow_what_outputs_stand_for() -> None:
    assert [End((1,), 0, *pair).threshold for pair in ((-np.inf, np.inf), (0, 1), (-np.inf, 0), (-1, 1), (0, np.inf))] == [
        *(0, 0.5, np.log(0.5), 0, 0),
    ]


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(InvalidData, match="the network has 3 outputs, one expected"):
        kind_of("binary", End((3,)))
    with pytest.raises(InvalidData, match="the network has 1 output, so that its largest is always the same"):
        kind_of("classification", End((1,)))
    with pytest.raises(InvalidData, match="a class for each of 2x2 pixels expected"):
        Dense(End((3, 2, 2))).labels(np.zeros(4, int))
    with pytest.raises(InvalidData, match="no whole numbers"):
        Dense(End((3, 2, 2))).labels(np.full((1, 2, 2), 0.5))
    with pytest.raises(InvalidData, match="labels up to 3; 0 to 2, as the network has 3 classes"):
        Dense(End((3, 2, 2))).labels(np.full((1, 2, 2), 3))
    with pytest.raises(InvalidData, match="no pixel has a class"):
        Dense(End((3, 2, 2))).labels(np.full((1, 2, 2), 255))
