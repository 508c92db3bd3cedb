"""What networks are judged by: samples and labels that belong together, in the forms that people have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.errors import InvalidData
from loihiconv.core.network import Network
from loihiconv.evaluation.predicting import judging, paired

ONE = np.zeros((2, 1))


@pytest.mark.parametrize(
    ("test_set", "message"),
    [
        (3, r"3 as test set; a pair \(x, y\), a Dataset, .* expected"),
        ((ONE, [1]), "2 samples and 1 labels"),
        ((ONE[:0], []), "no samples"),
    ],
)
def test_what_does_not_belong_together_is_refused(test_set: Any, message: str) -> None:
    with pytest.raises(InvalidData, match=message):
        paired(test_set)


@pytest.fixture(scope="module")
def net() -> Network:
    import torch
    from torch import nn

    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3))
    return lc.convert(model, np.random.default_rng(0).random((20, 2), np.float32), board="kapoho_point", timesteps=4)


X = np.full((3, 2), 0.5)


@pytest.mark.parametrize("y", [[0, 2, 1], np.array([0.0, 2.0, 1.0]), np.array([[0], [2], [1]], np.uint8), np.eye(3)[[0, 2, 1]]])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_labels(net: Network, y: object) -> None:
    _, x, found, kind, _ = judging(net, (X, y))
    assert (x.shape, found.tolist(), found.dtype, kind.name) == ((3, 2), [0, 2, 1], np.int64, "classification")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_names_are_numbered_and_that_is_said(net: Network) -> None:
    with pytest.warns(UserWarning, match="numbered in alphabetical order: 0 ant, 1 bee, 2 cat"):
        assert judging(net, (X, ["bee", "ant", "cat"]))[2].tolist() == [1, 0, 2]
    with pytest.raises(InvalidData, match="labels are 2 names"):
        judging(net, (X, ["a", "b", "b"]))
