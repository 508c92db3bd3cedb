"""Test sets that can be judged by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from loihiconv.core.errors import InvalidData
from loihiconv.evaluation.predicting import check_test_set, predict


def test_the_largest_output_is_the_class() -> None:
    model = nn.Linear(2, 3, bias=False)
    model.weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    assert predict(model, np.array([[1, 0], [0, 1], [-1, -1]], np.float32)).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("test_set", "message"),
    [
        (3, r"not a pair of samples and labels; \(x, y\) expected"),
        ((np.zeros((2, 1)), [1]), "2 samples and 1 labels"),
        ((np.zeros((2, 1)), [0.5, 1]), "labels of type float64"),
        ((np.zeros((2, 1)), [[0], [1]]), r"shape \(2, 1\); whole numbers \(N,\) expected"),
    ],
)
def test_what_does_not_belong_together_is_refused(test_set: Any, message: str) -> None:
    with pytest.raises(InvalidData, match=f"test set: .*{message}"):
        check_test_set(test_set)
    x, y = check_test_set(([[1.0], [2.0]], [0, 1]))  # type: ignore[arg-type]
    assert (x.shape, y.tolist()) == ((2, 1), [0, 1])
