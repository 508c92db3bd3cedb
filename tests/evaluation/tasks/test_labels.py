"""Labels in the forms that people have; what is none is refused in a line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loihiconv.core.errors import InvalidData
from loihiconv.evaluation.tasks.labels import class_indices, numbers, signs


@pytest.mark.parametrize("y", [[0, 2, 1], np.array([0.0, 2.0, 1.0]), np.array([[0], [2], [1]], np.uint8), np.eye(3)[[0, 2, 1]]])
def test_class_indices(y: Any) -> None:
    found = class_indices(np.asarray(y), 3)
    assert found.tolist() == [0, 2, 1]
    assert found.dtype == np.int64


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (["a", "b", "c"], "labels of type <U1"),
        ([0, 1, 3], "labels from 0 to 3; 0 to 2, as the network has 3 outputs"),
        ([-1, 0, 1], "labels from -1 to 1"),
        ([1, 2, 3], "labels from 1 to 3; .* count classes from 0"),
        ([True, False, True], "labels are yes or no; 0 to 2 expected"),
        ([0.5, 1, 2], "labels of type float64"),
        (np.zeros((3, 3)), "labels of type float64 and shape"),
        ([0, np.nan, 1], "labels of type float64"),
    ],
)
def test_no_class_indices(y: Any, said: str) -> None:
    with pytest.raises(InvalidData, match=said):
        class_indices(np.asarray(y), 3)


@pytest.mark.parametrize("y", [[0, 1, 1], [-1, 1, 1], [[0.0], [1.0], [1.0]], [False, True, True]])
def test_signs(y: Any) -> None:
    assert signs(np.asarray(y), (), "binary").tolist() == [False, True, True]


def test_what_is_no_sign_and_no_number_is_refused() -> None:
    with pytest.raises(InvalidData, match=r"labels 0, 1, 2; 0 and 1 expected for task 'binary'"):
        signs(np.array([0, 1, 2]), (), "binary")
    with pytest.raises(InvalidData, match=r"labels of shape \(3,\); \(N, 2\) expected"):
        signs(np.array([0, 1, 1]), (2,), "multilabel")
    with pytest.raises(InvalidData, match=r"targets of shape \(3,\); as many as the network's 2 outputs"):
        numbers(np.array([0, 1, 1]), (2,))
    with pytest.raises(InvalidData, match="1 targets are NaN or infinite"):
        numbers(np.array([0, np.nan, 1]), (1,))
    assert numbers(np.array([3, 4]), (1,)).tolist() == [[3.0], [4.0]]
