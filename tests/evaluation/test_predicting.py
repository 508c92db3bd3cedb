"""Labels in the forms that people have; what is none is refused in a line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from loihiconv.core.errors import InvalidData
from loihiconv.evaluation.predicting import check_test_set, predict

X = np.zeros((3, 2))


@pytest.mark.parametrize("y", [[0, 2, 1], np.array([0.0, 2.0, 1.0]), np.array([[0], [2], [1]], np.uint8), np.eye(3)[[0, 2, 1]]])
def test_labels(y: object) -> None:
    found = check_test_set((X, y), 3)[1]  # type: ignore[arg-type]
    assert found.tolist() == [0, 2, 1]
    assert found.dtype == np.int64


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (["a", "b", "b"], "2 names"),
        ([0, 1, 3], "labels from 0 to 3; 0 to 2, as the network has 3 outputs"),
        ([-1, 0, 1], "labels from -1 to 1"),
        ([0.5, 1, 2], "labels of type float64"),
        (np.zeros((3, 3)), "labels of type float64 and shape"),
        ([0, 1], "3 samples and 2 labels"),
        ([0, np.nan, 1], "labels of type float64"),
    ],
)
def test_no_labels(y: object, said: str) -> None:
    with pytest.raises(InvalidData, match=said):
        check_test_set((X, y), 3)  # type: ignore[arg-type]


def test_one_output_has_no_classes() -> None:
    with pytest.raises(InvalidData, match="the network has one output"):
        check_test_set((X, [0, 1, 1]), 1)  # type: ignore[arg-type]


def test_the_largest_output_is_the_class() -> None:
    model = nn.Linear(2, 3, bias=False)
    model.weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    assert predict(model, np.array([[1, 0], [0, 1], [-1, -1]], np.float32)).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("test_set", "message"),
    [
        (3, r"3 as test set; a pair \(x, y\), a Dataset, .* expected"),
        ((np.zeros((2, 1)), [1]), "2 samples and 1 labels"),
        ((np.zeros((2, 1)), [[0, 2], [1, 0]]), r"labels of type int64 and shape \(2, 2\); whole numbers \(N,\) or one-hot rows expected"),
    ],
)
def test_what_does_not_belong_together_is_refused(test_set: Any, message: str) -> None:
    with pytest.raises(InvalidData, match=message):
        check_test_set(test_set)
    x, y = check_test_set(([[1.0], [2.0]], [0, 1]))  # type: ignore[arg-type]
    assert (x.shape, y.tolist()) == ((2, 1), [0, 1])
