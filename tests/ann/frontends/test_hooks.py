"""Hooks that watch do not disturb; those that change something are recorded, or noticed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import loihiconv as lc
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.core.errors import InvalidModel
from tests.ann.frontends.programs import SHAPE, Cnn, kinds

X = np.random.default_rng(0).random((8, *SHAPE), np.float32)


class Watch:
    """Keeps the last result, as feature extractors do."""

    def __init__(self) -> None:
        self.last: Tensor | None = None
        self.lines: list[str] = []

    def keep(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        self.last = output

    def print(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        self.lines.append(f"{output.mean().item():.3f} {float(output.max()):.3f} {np.asarray(output.detach()).shape}")


def test_hooks_that_watch_do_not_disturb() -> None:
    model, watch = Cnn().eval(), Watch()
    counts: dict[str, int] = {}
    for name, part in model.named_modules():
        part.register_forward_hook(watch.keep)
        part.register_forward_hook(lambda module, i, o, name=name: counts.update({name: counts.get(name, 0) + 1}))
        part.register_forward_pre_hook(lambda module, args, kwargs: None, with_kwargs=True)
    model.register_forward_hook(watch.print)
    model(torch.rand(2, *SHAPE))
    last = watch.last
    assert kinds(read_torch(model, SHAPE)) == kinds(read_torch(Cnn().eval(), SHAPE))
    assert lc.convert(model, X, board=None, timesteps=4).populations
    assert watch.last is last  # the copy's hook belongs to a copy
    assert counts[""] > 1


def test_hooks_that_change_something_are_recorded() -> None:
    model = Cnn().eval()
    model.register_forward_pre_hook(lambda module, inputs: F.relu(inputs[0]))
    model.register_forward_hook(lambda module, inputs, output: output + output)
    assert [node.name for node in read_torch(model, SHAPE)][1] == "relu"
    assert lc.convert(model, X, board=None, timesteps=4).populations


def test_hooks_that_change_a_layer_are_recorded() -> None:
    model = Cnn().eval()
    model.fc.register_forward_hook(lambda module, inputs, output: output * 2)
    model.fc.register_forward_pre_hook(lambda module, inputs: -inputs[0])
    assert [node.name for node in read_torch(model, SHAPE)][-3:] == ["fc.neg", "fc", "fc.mul"]
    assert lc.convert(model, X, board=None, timesteps=4).populations


def test_hooks_that_are_another_function_each_time_are_noticed() -> None:
    model, calls = Cnn().eval(), iter(range(1, 1000))
    model.fc.register_forward_hook(lambda module, inputs, output: output * next(calls))
    with pytest.raises(InvalidModel, match=r"fc.mul: forward\(\) gives other results .* when it is called again"):
        lc.convert(model, X, board=None, timesteps=4)
