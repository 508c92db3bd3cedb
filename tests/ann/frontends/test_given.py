"""Samples for models of several inputs, whole and in batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import loihiconv as lc
from loihiconv.ann.frontends import readable
from loihiconv.ann.frontends.given import for_network, opened
from loihiconv.core.errors import InvalidData, InvalidModel, UnsupportedLayer


class Two(nn.Module):
    """An image and a vector."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 2, 3), nn.Linear(8 + 3, 2)

    def forward(self, image: Tensor, vector: Tensor) -> dict[str, Tensor]:
        h = self.fc(torch.cat([self.conv(image).relu().flatten(1), vector], 1))
        return {"a": h[:, :1], "b": h[:, 1:]}


IMAGE, VECTOR = np.random.default_rng(0).random((6, 1, 4, 4), np.float32), np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
PACKED = np.concatenate([IMAGE.reshape(6, -1), VECTOR], axis=1)
NAMED = {"vector": VECTOR, "image": IMAGE}
TENSORS = tuple(map(torch.from_numpy, (IMAGE, VECTOR)))
WAYS: dict[str, Callable[[], Any]] = {
    "by name": lambda: NAMED,
    "in order": lambda: TENSORS,
    "batches by name": lambda: ({name: x[i : i + 2] for name, x in NAMED.items()} for i in (0, 2, 4)),
    "batches with labels": lambda: DataLoader(TensorDataset(*TENSORS, torch.zeros(6)), batch_size=4),
    "batches of pairs": lambda: [((IMAGE[i : i + 3], VECTOR[i : i + 3]), np.zeros(3)) for i in (0, 3)],
}


@pytest.mark.parametrize("way", WAYS)
def test_all_ways_are_packed_alike(way: str) -> None:
    model, data = opened(readable(Two()), WAYS[way]())
    assert [(part.name, part.shape) for part in model.inputs] == [("image", (1, 4, 4)), ("vector", (3,))]
    assert model.sample_shape == (19,)
    np.testing.assert_array_equal(data if isinstance(data, np.ndarray) else np.concatenate(list(data)), PACKED)
    assert opened(model, PACKED)[1] is not None


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (IMAGE, InvalidData, r"Two: one array of shape \(6, 1, 4, 4\) for 2 inputs; \{'image': \.\.\., 'vector': \.\.\.\} expected"),
        ({"image": IMAGE}, UnsupportedLayer, "takes image, vector; given are image"),
        ({}, InvalidData, "names of inputs expected"),
        ([], InvalidData, "no samples"),
        ([(IMAGE,)], InvalidData, r"1 arrays for 2 inputs \(image, vector\)"),
        ([1], InvalidData, "Two: 1 for 2 inputs"),
        (5, InvalidData, "Two: 5 for 2 inputs"),
        ((IMAGE, VECTOR[:, 0]), InvalidData, r"input vector: samples of shape \(6,\); a batch \(N, \.\.\.\) expected; add an axis"),
        ((IMAGE, VECTOR[:2]), InvalidData, r"other numbers of samples \(image 6, vector 2\)"),
    ],
)
def test_what_fits_no_inputs(data: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        opened(readable(Two()), data)


def test_one_array_goes_to_a_model_of_one_input_as_it_is() -> None:
    model = readable(nn.Linear(3, 2))
    assert opened(model, VECTOR)[1] is VECTOR
    with pytest.raises(InvalidModel, match=r"forward.. fails on an example of shape a .3,., b .3,."):
        lc.convert(nn.Linear(3, 2), {"a": VECTOR, "b": VECTOR}, board=None, timesteps=4)


def test_a_network_names_the_inputs_of_its_model() -> None:
    torch.manual_seed(0)
    model = Two().eval()
    net = lc.convert(model, NAMED, board="kapoho_point", timesteps=16)
    assert [part.name for part in for_network(readable(model), net).inputs] == ["image", "vector"]
    whole = lc.run(net, NAMED)
    np.testing.assert_array_equal(whole.potentials, lc.run(net, (IMAGE, VECTOR)).potentials)
    assert lc.check(model, {"image": (1, 4, 4), "vector": (3,)}).ok
    assert lc.check(model, ((1, 4, 4), (3,))).ok
    with pytest.raises(InvalidData, match="example: one shape for 2 inputs"):
        lc.check(model, (3,))
