"""The task is read from a network's end and the labels, or given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loihiconv.core.errors import InvalidData, InvalidSetting
from loihiconv.evaluation.tasks.answers import End
from loihiconv.evaluation.tasks.choosing import choose_task, read_task

N = 6
RNG = np.random.default_rng(0)
CASES: dict[str, tuple[End, Any, str]] = {
    "classes": (End((3,)), [0, 2, 1, 0, 1, 2], "classification"),
    "classes as floats": (End((3,)), [0.0, 2, 1, 0, 1, 2], "classification"),
    "one-hot": (End((3,)), np.eye(3)[[0, 2, 1, 0, 1, 2]], "classification"),
    "strings": (End((3,)), list("abcabc"), "classification"),
    "a pixel": (End((3, 1, 1)), [0, 2, 1, 0, 1, 2], "classification"),
    "indices": (End((), 3), [0, 2, 1, 0, 1, 2], "classification"),
    "yes or no": (End((1,)), [0, 1, 1, 0, 1, 0], "binary"),
    "yes or no of no axis": (End((), 0, 0, 1), np.array([0, 1, 1, 0, 1, 0], bool), "binary"),
    "signs": (End((1,)), [-1, 1, 1, -1, 1, 1], "binary"),
    "a column": (End((1,)), [[0], [1], [1], [0], [1], [0]], "binary"),
    "a count": (End((1,)), [0, 1, 2, 5, 1, 0], "regression"),
    "a number": (End((1,)), [0.5, 1, 2, 5, 1, 0], "regression"),
    "labels": (End((3,)), [[0, 1, 1]] * N, "multilabel"),
    "numbers": (End((3,)), RNG.normal(size=(N, 3)), "regression"),
    "pixels": (End((3, 4, 4)), RNG.integers(0, 3, (N, 4, 4)), "dense"),
    "pixels of a signal": (End((3, 4)), RNG.integers(0, 3, (N, 4)), "dense"),
    "pixels, one-hot": (End((3, 4, 4)), np.moveaxis(np.eye(3)[RNG.integers(0, 3, (N, 4, 4))], 3, 1), "dense"),
    "yes or no of pixels": (End((1, 4, 4)), RNG.integers(0, 2, (N, 4, 4)), "dense"),
    "indices of pixels": (End((4, 4), 3), RNG.integers(0, 3, (N, 4, 4)), "dense"),
    "an image": (End((1, 4, 4)), RNG.normal(size=(N, 1, 4, 4)), "regression"),
    "an image of channels": (End((3, 4, 4)), RNG.normal(size=(N, 3, 4, 4)), "regression"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_read(case: str) -> None:
    end, y, task = CASES[case]
    assert read_task(end, np.asarray(y)) == task
    if case != "strings":
        kind, labels = choose_task(end, np.asarray(y))
        assert kind.name == task
        again = kind.labels(labels)
        np.testing.assert_array_equal(again, labels)


def test_it_may_be_given() -> None:
    assert choose_task(End((1,)), np.array([0, 1, 1]), "regression")[0].name == "regression"
    for wrong, said in (("clasification", "did you mean 'classification'"), (3, "task 3"), (np.zeros(2), "task a")):
        with pytest.raises(InvalidSetting, match=said):
            choose_task(End((1,)), np.array([0, 1, 1]), wrong)  # type: ignore[arg-type]


def test_two_numbers_that_are_no_yes_and_no_are_said() -> None:
    with pytest.warns(UserWarning, match="labels are 1 and 2 and taken for numbers .* for yes or no give 0 and 1"):
        assert choose_task(End((1,)), np.array([1, 2, 2, 1]))[0].name == "regression"


@pytest.mark.parametrize("end", [End((1,)), End((3,))])
def test_labels_that_are_missing(end: End) -> None:
    with pytest.raises(InvalidData, match="labels: 2 of 3 are NaN"):
        choose_task(end, np.array([np.nan, 1, np.nan]))


@pytest.mark.parametrize("labels", [["no", "yes", "no"], [b"no", b"yes", b"no"], ["0", "1", "0"]])
def test_text_says_yes_or_no_of_one_output(labels: list[Any]) -> None:
    with pytest.warns(UserWarning, match="labels are"):
        kind, y = choose_task(End((1,)), np.array(labels))
    assert (kind.name, y.tolist()) == ("binary", [False, True, False])


def test_more_names_than_two_are_none_of_one_output() -> None:
    with pytest.raises(InvalidData, match="3 names"):
        choose_task(End((1,)), np.array(["a", "b", "c"]))
