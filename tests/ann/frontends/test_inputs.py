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
from loihiconv.ann.evaluator import forward
from loihiconv.ann.frontends import readable
from loihiconv.ann.frontends.given import bound
from loihiconv.ann.frontends.inputs import example_of
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.packing import packed
from loihiconv.core.parts import Part
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


def test_several_inputs_want_an_array_each() -> None:
    with pytest.raises(UnsupportedLayer, match=r"Two: forward\(\) takes 2 inputs \(image, weight\); .*give a dict with an array for each"):
        read_torch(Two(), (4,))


class Towers(nn.Module):
    """Two inputs, in whatever way forward takes them."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 3), nn.Linear(2, 3)

    def both(self, first: Tensor, second: Tensor) -> Tensor:
        return self.a(first) - self.b(second)


class Positional(Towers):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.both(x, y)


class Keyword(Towers):
    def forward(self, x: Tensor, *, scale: float = 1.0, y: Tensor) -> Tensor:
        return self.both(x, y) * scale


class Optional(Towers):
    def forward(self, mask: Tensor | None = None, y: Tensor | None = None, x: Tensor | None = None) -> Tensor:
        assert mask is None
        assert x is not None
        assert y is not None
        return self.both(x, y)


class Open(Towers):
    def forward(self, *inputs: Tensor) -> Tensor:
        return self.both(*inputs)


class OfDict(Towers):
    def forward(self, observation: dict[str, Tensor]) -> Tensor:
        return self.both(observation["x"], observation["y"])


PARTS = (Part("x", (4,)), Part("y", (2,)))


@pytest.mark.parametrize("kind", [Positional, Keyword, Optional, Open, OfDict])
def test_however_a_forward_takes_its_inputs(kind: type[Towers]) -> None:
    torch.manual_seed(0)
    model = kind().eval()
    read = bound(readable(model), PARTS)
    x = np.random.default_rng(0).random((5, 6), np.float32)
    apart = {part.name: torch.from_numpy(values) for part, values in zip(PARTS, np.split(x, [4], axis=1), strict=True)}
    with torch.no_grad():
        expected = model.both(apart["x"], apart["y"]).numpy()
    shifted = packed(read.inputs, apart)
    np.testing.assert_allclose(read.outputs(shifted), expected, rtol=1e-5, atol=1e-6)
    ann = read.ann((6,))
    assert [node.name for node in ann.inputs] == [part.name for part in read.inputs]
    np.testing.assert_allclose(forward(ann, shifted)[0].numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("names", [("x",), ("x", "z"), ("x", "y", "z")])
def test_other_inputs_are_refused_by_name(names: tuple[str, ...]) -> None:
    with pytest.raises(UnsupportedLayer, match=f"forward.. takes x, y; given are {', '.join(names)}"):
        readable(Positional()).with_inputs([Part(name, (2,)) for name in names])


def test_an_input_that_nothing_depends_on_is_said() -> None:
    class Ignoring(Towers):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return self.a(x) + torch.zeros_like(y).sum()

    assert "input y: no output depends on it" in readable(Ignoring()).with_inputs(PARTS).ann((6,)).notes


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
