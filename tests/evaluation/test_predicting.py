"""Labels in the forms that people have; what is none is refused in a line."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.core.errors import InvalidData
from loihiconv.evaluation.predicting import check_test_set

X = np.zeros((3, 2))


@pytest.mark.parametrize("y", [[0, 2, 1], np.array([0.0, 2.0, 1.0]), np.array([[0], [2], [1]], np.uint8), np.eye(3)[[0, 2, 1]]])
def test_labels(y: object) -> None:
    found = check_test_set((X, y), 3)[1]  # type: ignore[arg-type]
    assert found.tolist() == [0, 2, 1]
    assert found.dtype == np.int64


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (["a", "b", "c"], "labels of type <U1"),
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
