"""A forward pass is recorded once: any signature, and nothing of the model is changed."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Linear, Relu
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from tests.ann.frontends.nets import Net, assert_read_and_lowered


def test_several_inputs_are_refused() -> None:
    class Two(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return x + y

    with pytest.raises(UnsupportedLayer, match=r"Two: forward\(\) takes 2 inputs \(x, y\)"):
        read_torch(Two(), (4,))


def test_what_does_not_reach_the_output_is_no_problem() -> None:
    def forward(m: Any, x: Tensor) -> Tensor:
        torch.sigmoid(x)
        return m.l(x)

    assert_read_and_lowered(Net(forward, l=nn.Linear(4, 2)), (4,))


def test_the_model_is_left_as_it_is() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(), nn.ReLU()).train()
    before, random_state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    ann = read_torch(model, (1, 5, 5))
    assert all(module.training for module in model.modules())
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random_state)
    node = ann["0"]
    assert isinstance(node, Linear)
    model[0].weight.data.zero_()
    assert np.any(node.map.weight)


def test_shapes_may_be_asked_for_and_defaults_kept() -> None:
    class Strict(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 2)

        def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
            if x.shape[-2:] != (2, 2) or x.dim() != 4 or len(x) == 0:
                raise ValueError(f"wrong size {x.shape[-2:]}")
            x = x.view(x.size(0), -1)
            return self.fc(x if mask is None else x * mask)

    assert_read_and_lowered(Strict(), (1, 2, 2))
    with pytest.raises(InvalidModel, match=r"Strict.*ValueError: wrong size"):
        read_torch(Strict(), (1, 3, 3))


def test_a_layer_that_does_not_fit_is_named() -> None:
    with pytest.raises(InvalidModel, match=r"1: forward.. fails"):
        read_torch(nn.Sequential(nn.Flatten(), nn.Linear(5, 2)), (2, 2))


@pytest.mark.parametrize(
    ("model", "shape", "layout"),
    [
        (nn.Conv1d(1, 2, 3), (9,), "L"),
        (nn.Conv2d(1, 2, 3), (9, 9), "HW"),
        (nn.Conv1d(3, 2, 3), (9, 3), "LC"),
        (nn.Conv2d(1, 2, 3), (9, 9, 1), "HWC"),
        (nn.Conv2d(1, 2, 3), (3, 9, 9), ""),
    ],
)
def test_samples_without_channels_or_with_channels_last_get_a_layout(model: nn.Module, shape: tuple[int, ...], layout: str) -> None:
    with pytest.raises(InvalidModel, match=r"forward.. fails on an example") as caught:
        read_torch(nn.Sequential(model), shape)
    assert ("--layout" in caught.value.remedy) == bool(layout)
    assert f'--layout {layout}, or Preprocessing(layout="{layout}")' in caught.value.remedy or not layout


def test_a_model_that_runs_but_cannot_be_recorded_is_told_apart_from_one_that_fails() -> None:
    def adapted(m: Any, x: Tensor) -> Tensor:
        return torch.func.functional_call(m.l, {"weight": m.l.weight + m.l.weight.flip(0), "bias": m.l.bias}, (x,)).relu()

    def strict(m: Any, x: Tensor) -> Tensor:
        if not isinstance(x, Tensor):
            raise AssertionError
        return m.l(x)

    model = Net(adapted, l=nn.Linear(4, 2)).eval()
    with pytest.raises(
        UnsupportedLayer,
        match=r"runs, but not while it is recorded \(line \d+ of test_tracing.py\): TypeError: .* or give torch\.export\.export",
    ):
        read_torch(model, (4,))
    with pytest.raises(
        UnsupportedLayer, match=r"forward\(\) runs, but not while it is recorded \(line \d+ of test_tracing.py\): AssertionError; use"
    ):
        read_torch(Net(strict, l=nn.Linear(4, 2)), (4,))
    program = torch.export.export(model, (torch.rand(3, 4),)).module()
    assert [type(node) for node in read_torch(program, (4,))][-1] is Relu


def test_the_line_of_the_users_code_is_named() -> None:
    def forward(m: Any, x: Tensor) -> Tensor:
        assert not torch.isnan(x).any()
        return x.relu()

    line = forward.__code__.co_firstlineno + 1
    with pytest.raises(
        UnsupportedLayer, match=rf"Net: forward\(\) decides on the values of a tensor \(line {line} of test_tracing.py\), so"
    ):
        read_torch(Net(forward), (4,))
