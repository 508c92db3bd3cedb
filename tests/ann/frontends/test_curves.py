"""Curved activations as they are read where ReLUs are to take their place: in all spellings, and what is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import loihiconv as lc
from loihiconv.ann.evaluate import verify_reading
from loihiconv.ann.frontends import readable
from loihiconv.ann.graph import Curve
from tests.ann.frontends.nets import Net

SPELLINGS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "SiLU by hand": (lambda x: x * torch.sigmoid(x), F.silu),
    "SiLU as a quotient": (lambda x: x / (1 + torch.exp(-x.clamp(-60, 60))), F.silu),
    "in place": (lambda x: F.silu(x * 1.0, inplace=True), F.silu),
    "GELU by hand": (lambda x: 0.5 * x * (1 + torch.erf(x / 2**0.5)), F.gelu),
    "GELU by tanh": (
        lambda x: 0.5 * x * (1 + torch.tanh(0.7978845608 * (x + 0.044715 * x**3))),
        lambda x: F.gelu(x, approximate="tanh"),
    ),
    "Mish by hand": (lambda x: x * torch.tanh(F.softplus(x)), F.mish),
    "hard swish": (lambda x: x * (F.relu6(x + 3) / 6), F.hardswish),
    "square": (lambda x: x**2, torch.square),
    "logarithm": (lambda x: torch.log(1 + F.relu(x)), lambda x: torch.log1p(F.relu(x))),
    "logarithm of what is small": (lambda x: torch.log(x.clamp(min=1e-3)), lambda x: x.clamp(min=1e-3).log()),
    "decibel": (lambda x: torch.log10(F.relu(x) + 1e-3), lambda x: (F.relu(x) + 1e-3).log10()),
    "root": (lambda x: torch.sqrt(F.relu(x) + 1e-6), lambda x: (F.relu(x) + 1e-6) ** 0.5),
    "root with a sign": (lambda x: x.sign() * x.abs().sqrt(), lambda x: torch.where(x > 0, 1.0, -1.0) * x.abs() ** 0.5),
    "cube, as generalized-mean pooling begins": (lambda x: x.clamp(min=1e-6) ** 3.0, lambda x: x**3),
    "ELU by hand": (lambda x: torch.where(x > 0, x, torch.exp(x.clamp(max=0)) - 1), F.elu),
}


def between(function: Callable[[Tensor], Tensor]) -> nn.Module:
    torch.manual_seed(0)
    first, second = nn.Conv2d(1, 3, 3), nn.Linear(108, 4)
    return Net(lambda net, x: net.second(function(net.first(x)).flatten(1)), first=first, second=second)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_curve_is_read_however_it_is_written(spelling: str) -> None:
    function, same = SPELLINGS[spelling]
    model = readable(between(function)).with_curves()
    x = np.random.default_rng(0).normal(size=(16, 1, 8, 8)).astype(np.float32) * 3
    ann = model.ann((1, 8, 8))
    assert sum(isinstance(node, Curve) for node in ann) == 1
    verify_reading(model, ann, x)
    (curve,) = (node for node in ann if isinstance(node, Curve))
    wanted = same(torch.from_numpy(curve.x)).numpy()
    np.testing.assert_allclose(curve.y, wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    "layer",
    [
        nn.SiLU(),
        nn.GELU(),
        nn.ELU(),
        nn.SELU(),
        nn.CELU(),
        nn.Mish(),
        nn.Hardswish(),
        nn.Sigmoid(),
        nn.Tanh(),
        nn.Softplus(),
        nn.LogSigmoid(),
        nn.Softsign(),
        nn.Tanhshrink(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_every_curved_layer_is_read(layer: nn.Module) -> None:
    model = readable(nn.Sequential(nn.Linear(6, 5), layer, nn.Linear(5, 3))).with_curves()
    ann = model.ann((6,))
    assert [type(node).__name__ for node in ann] == ["Input", "Linear", "Curve", "Linear"]
    verify_reading(model, ann, np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32) * 5)


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (lambda x: x * torch.sigmoid(x.mean((2, 3), keepdim=True)), "mul multiplies two activations"),
        (lambda x: torch.sin(x), "sin"),
        (lambda x: torch.softmax(x, 1), "softmax"),
        (lambda x: torch.exp(x), "exp"),
        (lambda x: (x > 0).float() * 2.0, "jumps"),
        (lambda x: F.layer_norm(x, x.shape[1:]), "layer_norm"),
        (lambda x: x * torch.sigmoid(x.roll(1, 1)), "mul"),
    ],
    ids=["squeeze and excitation", "sine", "softmax", "exp", "jump", "layer norm", "neighbour"],
)
def test_what_is_no_curve_of_one_activation_stays_refused(function: Callable[[Tensor], Tensor], problem: str) -> None:
    found = readable(between(function)).with_curves().problems((1, 8, 8))
    assert any(problem in str(error) for error in found), found
    assert not any("approximate" in str(error) for error in found)


def test_a_refusal_says_that_relus_can_stand_for_a_curve() -> None:
    (problem,) = lc.check(nn.Sequential(nn.Linear(4, 4), nn.GELU(), nn.Linear(4, 2)), (4,)).problems
    assert problem.startswith("1: GELU cannot be converted; retrain with ReLU")
    assert problem.endswith("or take 2 ReLUs for it, by approximate=2")
    (composed,) = lc.check(between(SPELLINGS["SiLU by hand"][0]), (1, 8, 8)).problems
    assert composed == "mul: mul ends a curved function of one activation; retrain with ReLU; or take 2 ReLUs for it, by approximate=2"


def test_a_last_curve_is_still_the_hosts() -> None:
    checked = lc.check(nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1), nn.Sigmoid()), (4,), approximate=2)
    assert checked.ok
    assert any("3: computed by the host" in note for note in checked.notes)


def test_an_onnx_file_with_silu_goes_in(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.SiLU(), nn.Flatten(), nn.Linear(108, 4)).eval()
    torch.onnx.export(model, (torch.zeros(1, 1, 8, 8),), str(tmp_path / "net.onnx"), dynamo=False)
    assert not lc.check(tmp_path / "net.onnx").ok
    checked = lc.check(tmp_path / "net.onnx", board="kapoho_point", approximate=2)
    assert checked.ok, checked.problems
