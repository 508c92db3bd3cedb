"""Modules as float models: evaluated in float32, left as they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.ann.frontends.torch_model import TorchModel
from loihiconv.core.linear import Array
from tests.ann.frontends.nets import Net


def samples(n: int = 40) -> Array:
    return np.random.default_rng(1).random((n, 6), np.float32)


class InPlace(nn.Module):
    """Changes its input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mul_(2)


def test_evaluation_leaves_module_and_samples_alone() -> None:
    model, x = nn.Sequential(InPlace(), nn.Dropout(), nn.Linear(6, 2)).train(), samples(300)
    model[1].eval()
    before = x.copy()
    outputs = TorchModel(model).outputs(x)
    np.testing.assert_array_equal(x, before)
    assert [part.training for part in model.modules()] == [True, True, False, True]
    expected = x @ (2 * model[2].weight.detach().numpy().T) + model[2].bias.detach().numpy()
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)  # sums in another order


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_evaluated_in_float32(dtype: torch.dtype) -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2)).to(dtype)
    outputs = TorchModel(model).outputs(samples())
    assert outputs.dtype == np.float32
    assert model[0].weight.dtype == dtype
    assert lc.convert(model, samples(), board=None, timesteps=4).populations


def test_models_for_one_number_of_samples_are_refused() -> None:
    model = Net(lambda m, x: m.l(x) + torch.ones(3, 1), l=nn.Linear(4, 2))
    (problem,) = lc.check(model, (4,)).problems
    assert problem.startswith("Net: forward() fails on 4 samples: RuntimeError")
    assert "\n" not in problem


def test_half_precision_within_is_held_to_its_own_rounding() -> None:
    """As under autocast, which differs from float32 by more than a misread layer would be let through with."""

    def forward(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = m.a(x).relu()  # type: ignore[operator]
        return m.b(y.float())  # type: ignore[operator, no-any-return]

    torch.manual_seed(0)
    model = Net(forward, a=nn.Linear(6, 20), b=nn.Linear(20, 3)).eval()
    assert lc.check(model, (6,)).ok
    read = TorchModel(model)
    assert read.epsilon == torch.finfo(torch.float32).eps  # nothing has been read
    read.ann((6,))
    assert read.epsilon == torch.finfo(torch.bfloat16).eps
