"""Models with one required input, and what they do with its precision."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import loihiconv as lc
from loihiconv.ann.frontends import readable
from loihiconv.ann.frontends.inputs import example_of
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from tests.ann.frontends.nets import Net


class Options(nn.Module):
    """One input, and arguments that need not be given."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, x: Tensor, mask: Tensor | None = None, *rest: Any, scale: float = 1.0, **more: Any) -> Tensor:
        return self.fc(x if mask is None else x * mask)


def test_further_arguments_keep_their_defaults() -> None:
    assert [node.name for node in read_torch(Options(), (4,))] == ["input", "fc"]


class Two(nn.Module):
    def forward(self, image: Tensor, *, weight: Tensor) -> Tensor:
        return image * weight


def test_several_inputs_are_refused() -> None:
    with pytest.raises(UnsupportedLayer, match=r"Two: forward\(\) takes 2 inputs \(image, weight\); .*give forward\(\) one tensor"):
        read_torch(Two(), (4,))


@pytest.mark.parametrize("shape", [(), (0,), (3, -1), (2.5,)])
def test_shapes_are_positive(shape: Any) -> None:
    with pytest.raises(InvalidModel, match="is not the shape of a sample"):
        example_of((3, *shape), torch.float32)


CASTS = {
    "to a layer's": lambda m, x: m.b(F.relu(m.a(x.to(m.a.weight.dtype))).float()),
    "to another's": lambda m, x: m.b(F.relu(m.a(x)).type_as(x)),
    "by name": lambda m, x: m.b(F.relu(m.a(x.to(dtype=torch.float32))).to("cpu")),
    "type": lambda m, x: m.b(F.relu(m.a(x.type(torch.float32)))),
}


@pytest.mark.parametrize("case", CASTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_casts_do_nothing(case: str, dtype: torch.dtype) -> None:
    model = Net(CASTS[case], a=nn.Linear(4, 3).to(dtype), b=nn.Linear(3, 2))
    assert [node.name for node in read_torch(model, (4,))] == ["input", "a", "relu", "b"]
    assert lc.convert(model, np.random.default_rng(0).random((8, 4), np.float32), board=None, timesteps=4).populations


@pytest.mark.parametrize("cast", [lambda x: x.to(torch.int64).float(), lambda x: x.type("torch.IntTensor").float()])
def test_whole_numbers_are_refused(cast: Any) -> None:
    with pytest.raises(UnsupportedLayer, match=r"(to|type) rounds to whole numbers"):
        read_torch(Net(lambda m, x: m.a(cast(x)), a=nn.Linear(4, 3)), (4,))


@pytest.mark.parametrize(
    ("source", "remedy"),
    [
        (Options, r"Options is a class, no network; .*give an instance: Options\(...\)"),
        (partial(nn.Linear, 4, 2), "a partial is no network .*give the network that it returns"),
        (lambda: nn.Linear(4, 2), "a function is no network .*give the network that it returns"),
    ],
)
def test_what_makes_a_network_is_none(source: Any, remedy: str) -> None:
    with pytest.raises(InvalidModel, match=remedy):
        readable(source)
