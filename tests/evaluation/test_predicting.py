"""Test sets whose samples and labels belong together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loihiconv.core.errors import InvalidData
from loihiconv.evaluation.predicting import check_test_set, paired
from loihiconv.evaluation.tasks.answers import End

ONE = np.zeros((2, 1))


@pytest.mark.parametrize(
    ("test_set", "message"),
    [
        (3, r"3 as test set; a pair \(x, y\), a Dataset, .* expected"),
        ((ONE, [1]), "2 samples and 1 labels"),
        ((ONE, 1), "2 samples and no labels"),
        ((ONE[:0], []), "no samples; at least 1 expected"),
    ],
)
def test_what_does_not_belong_together_is_refused(test_set: Any, message: str) -> None:
    with pytest.raises(InvalidData, match=message):
        paired(test_set)


def test_samples_and_labels_are_arrays_and_the_task_is_read() -> None:
    x, y, kind = check_test_set(([[1.0], [2.0]], [0, 1]), End((3,)))  # type: ignore[arg-type]
    assert (x.shape, y.tolist(), kind.name) == ((2, 1), [0, 1], "classification")
