"""Labels that are names become numbers, with a word about it."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.core.errors import InvalidData
from loihiconv.core.labels import are_numbers, listed, numbered
from loihiconv.core.linear import Array


def test_numbers_stay() -> None:
    assert numbered(y := np.array([3, 1])) is y


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (np.array([0.5, 1, 2]), True),
        (np.array([[0.25, -3], [1, 2]]), True),
        (np.array([0.0, 1, 2]), False),
        (np.array([3, 1]), False),
        (np.array(["0.5"]), False),
        (np.array([[0.9, 0.1], [0.3, 0.7]]), False),  # shares of classes
        (np.eye(3), False),
    ],
)
def test_labels_with_fractions_are_numbers(y: Array, said: bool) -> None:
    assert are_numbers(y) is said


def test_names_are_numbered_in_alphabetical_order() -> None:
    for kind in (str, object):
        with pytest.warns(UserWarning, match="alphabetical order: 0 cat, 1 dog"):
            assert numbered(np.array(["dog", "cat", "dog"], kind), 2).tolist() == [1, 0, 1]


def test_digits_in_text_are_numbers() -> None:
    with pytest.warns(UserWarning, match="taken for the numbers"):
        assert numbered(np.array(["10", "9"])).tolist() == [10, 9]


def test_names_of_another_number_than_classes_and_other_things() -> None:
    with pytest.raises(InvalidData, match=r"2 names \(0 a, 1 b\); the network has 3 classes"):
        numbered(np.array(["a", "b"]), 3)
    with pytest.raises(InvalidData, match="labels of type object; class indices or names"):
        numbered(np.array([None, "a"], object))
    assert listed([f"c{k}" for k in range(20)]).endswith("11 c11, ... 19 c19")
