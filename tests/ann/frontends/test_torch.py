"""Models are read as what they compute, or refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from loihiconv.ann.frontends.torch import problems, read_torch
from loihiconv.ann.graph import Add, Linear, MaxPool, Relu, Reshape
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from tests.ann.frontends.nets import Net


def test_all_problems_are_found_at_once() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.GELU(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2), nn.Softmax(1))
    assert [error.where for error in problems(model, (4,))] == ["1", "3"]
    assert problems(model[4:], (4,)) == ()
    with pytest.raises(UnsupportedLayer, match="1 more operation cannot"):
        read_torch(model, (4,))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_unusable_weights_are_named(value: float) -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    model[1].bias.data[0] = value
    with pytest.raises(InvalidModel, match="1: 1 of 2 values of bias are NaN or infinite"):
        read_torch(model, (4,))


def test_names_are_module_paths() -> None:
    def forward(m: Any, x: Tensor) -> Tensor:
        x = m.act(m.conv(x))
        return m.head(F.max_pool2d(m.act(x) + x, 2).flatten(1))

    ann = read_torch(Net(forward, conv=nn.Conv2d(1, 1, 1), act=nn.ReLU(), head=nn.Sequential(nn.Linear(4, 2))), (1, 4, 4))
    kinds = {node.name: type(node) for node in ann.nodes[1:]}
    assert kinds == {"conv": Linear, "act": Relu, "act_1": Relu, "add": Add, "max_pool2d": MaxPool, "flatten": Reshape, "head.0": Linear}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_becomes_float32(dtype: torch.dtype) -> None:
    node = read_torch(nn.Sequential(nn.Linear(4, 2).to(dtype)), (4,))["0"]
    assert isinstance(node, Linear)
    assert node.map.weight.dtype == np.float32
