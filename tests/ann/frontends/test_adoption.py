"""Layers that a model calls without having them: made in its forward, sliced, kept in a list, or not its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from torch import Tensor, nn

import loihiconv as lc
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.core.errors import UnsupportedLayer
from tests.ann.frontends.nets import IMAGE, Net, assert_read_and_lowered

SHARED = nn.ReLU()


def features() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Conv2d(5, 3, 2), nn.ReLU())


class Listed(nn.Module):
    """Keeps layers where PyTorch does not see them."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = list(layers)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


MADE: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "in forward": lambda m, x: nn.Flatten()(nn.ReLU()(m.f[0](x))),
    "twice": lambda m, x: nn.ReLU()(nn.ReLU()(m.f[0](x)) - 0.1),
    "slices": lambda m, x: m.f[3:](m.f[:3](x)),
    "a Sequential": lambda m, x: nn.Sequential(m.f[0], m.f[1], nn.LeakyReLU(0.1))(x),
    "outside": lambda m, x: SHARED(m.f[0](x)),
}


@pytest.mark.parametrize("name", MADE)
def test_layers_are_read_wherever_they_come_from(name: str) -> None:
    assert_read_and_lowered(Net(MADE[name], f=features()), IMAGE)


def test_layers_in_a_list_are_read() -> None:
    assert lc.check(Listed(nn.Conv2d(4, 5, 3), nn.ReLU(), nn.Conv2d(5, 3, 2)).eval(), IMAGE).ok  # it compares both


def test_layers_of_a_slice_keep_their_names_and_others_are_called_after_their_class() -> None:
    model = nn.Sequential(Net(lambda m, x: nn.ReLU()(m.f[3:](nn.ReLU()(m.f[:2](x)))), f=features())).eval()
    assert [node.name for node in read_torch(model, IMAGE)][1:] == ["0.f.0", "0.f.1", "0.relu", "0.f.3", "0.f.4", "0.relu_1"]


def test_the_users_model_gets_no_layers() -> None:
    model = Net(MADE["in forward"], f=features()).eval()
    before = [name for name, _ in model.named_modules()]
    assert lc.check(model, IMAGE).ok
    assert [name for name, _ in model.named_modules()] == before


@pytest.mark.parametrize("layer", [nn.BatchNorm2d(4), nn.Dropout(0.5)], ids=lambda layer: type(layer).__name__)
def test_layers_that_eval_does_not_reach_are_refused(layer: nn.Module) -> None:
    kind = type(layer).__name__
    with pytest.raises(UnsupportedLayer, match=re.escape(f"{kind.lower()}: {kind} is in training mode") + ".*nn.ModuleList"):
        read_torch(Listed(layer, nn.Conv2d(4, 5, 3)).eval(), IMAGE)
    assert read_torch(Listed(layer.eval(), nn.Dropout(0.0), nn.Conv2d(4, 5, 3)).eval(), IMAGE)


def test_layers_that_are_refused_are_named_by_their_class() -> None:
    (problem,) = lc.check(Net(lambda m, x: m.g(nn.GELU()(m.f[0](x))), f=features(), g=nn.Conv2d(5, 2, 2)), IMAGE).problems
    assert str(problem).startswith("gelu: GELU cannot be converted")
