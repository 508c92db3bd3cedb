"""Activations that are written by hand: the function that comparing, selecting and multiplying makes, with as few neurons as it takes."""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from loihiconv.ann.evaluator import Evaluator, outputs_of
from loihiconv.ann.frontends.model import FloatModel
from loihiconv.ann.frontends.torch import problems, read_torch
from loihiconv.ann.frontends.torch_model import TorchModel
from loihiconv.ann.graph import Ann, Relu
from loihiconv.ann.passes import lower
from tests.ann.frontends.nets import Net, assert_read_and_lowered

SLOPES = torch.tensor([0.3, -1.0, 2.0, 0.5], dtype=torch.float64)


def assigned(y: Tensor) -> Tensor:
    z = y.clone()
    z[z < 0] = 0
    return z


def rectified(y: Tensor) -> Tensor:
    return torch.where(y > 0, y, 0)


def largest(y: Tensor) -> Tensor:
    z = y.flip(1)
    return torch.where(y > z, y, z)


def smallest(y: Tensor) -> Tensor:
    z = y.flip(1)
    return torch.where(y > z, z, y)


BY_HAND: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {  # and the ReLUs that it takes
    "where": (lambda y: torch.where(y > 0, y, 0), 1),
    "where zeros": (lambda y: torch.where(y >= 0, y, torch.zeros_like(y)), 1),
    "where method": (lambda y: y.where(y > 0, torch.zeros(1)), 1),
    "product": (lambda y: y * (y > 0), 1),
    "product of floats": (lambda y: (y > 0).float() * y, 1),
    "product in place": (lambda y: y.mul_(y > 0), 1),
    "without what is negative": (lambda y: y - torch.where(y < 0, y, 0), 1),
    "one less a comparison": (lambda y: y * (1 - (y < 0).to(y.dtype)), 1),
    "not": (lambda y: y * torch.logical_not(y < 0), 1),
    "maximum": (lambda y: torch.maximum(y, torch.zeros_like(y)), 1),
    "half the sum": (lambda y: (y + y.abs()) / 2, 1),
    "half of each": (lambda y: 0.5 * y + 0.5 * torch.abs(y), 1),
    "masked": (lambda y: y.masked_fill(y < 0, 0.0), 1),
    "assigned": (assigned, 1),
    "sign": (lambda y: y * (torch.sign(y) + 1) / 2, 1),
    "shifted": (lambda y: torch.where(y < SLOPES, SLOPES, y), 1),
    "of a multiple": (lambda y: torch.where(2 * y > 0, y, 0), 1),
    "clipped": (lambda y: torch.where(y > 0.5, 0.5, torch.where(y < 0, 0.0, y)), 1),
    "between": (lambda y: torch.where((y > 0) & (y < 0.5), y, 0.5 * (y >= 0.5)), 1),
    "outside": (lambda y: torch.where((y <= 0) | (y >= 0.5), 0.5 * (y > 0.2), y), 1),
    "clipped line": (lambda y: torch.where(y < -0.25, 0 * y, torch.where(y > 0.25, torch.ones_like(y), 2 * y + 0.5)), 1),
    "leaky": (lambda y: torch.where(~(y <= 0), y, y * 0.1), 2),
    "leaky maximum": (lambda y: torch.max(y, 0.2 * y), 2),
    "leaky minimum": (lambda y: torch.minimum(y, 0.2 * y), 2),
    "leaky sum": (lambda y: y * (y > 0) + 0.1 * y * (y <= 0), 2),
    "slopes": (lambda y: torch.where(y > 0, y, SLOPES * y), 2),
    "slopes by halves": (lambda y: F.relu(y) + SLOPES * (y - y.abs()) / 2, 2),
    "shrinking": (lambda y: torch.where(y.abs() < 0.25, 0 * y, y - 0.25 * torch.sign(y)), 2),
    "a bump": (lambda y: torch.where(y.abs() < 0.25, 0.25 - y.abs(), 0), 3),
    "of a ReLU": (lambda y: torch.where(F.relu(y) > 0, y, 0.1 * y), 2),
    "knots of some alone": (lambda y: torch.maximum(SLOPES * y.clamp(-0.5, 0.5), F.leaky_relu(F.relu(y), 0.5)), 3),
    "of what jumps": (lambda y: F.relu(torch.where(y > 0, y, -1)), 1),
    "of what jumps in steps": (lambda y: F.hardsigmoid(-1.5 * torch.where(y > 2, -7, -y)), 1),
    "threshold of what jumps": (
        lambda y: F.threshold((-y).masked_fill((y > 0) | (y <= -0.5), -2.0), 0.0, 0.0) + F.relu(-y - 0.5) + 0.5 * (y <= -0.5),
        1,
    ),
    "residual": (lambda y: y + F.relu(y), 1),
    "nothing added": (lambda y: F.relu(y) + y * (y < y), 1),
    "nothing taken away": (lambda y: y - torch.where(y < y, y, 0), 0),
    "a constant added": (lambda y: F.relu(y) - torch.where(y < y, y, 2), 1),
    "by a sum": (lambda y: torch.where(F.relu(y) + F.relu(-y) > 0.25, y - 0.25 * torch.sign(y), 0 * y), 2),
    "of a sum": (lambda y: rectified(F.leaky_relu(y, 0.1) + F.hardtanh(y)), 2),
    "of sums of sums": (lambda y: rectified(F.relu(y - 0.5) + (y + F.relu(-y)) + 0.1 * F.relu6(y)), 3),
    "of a long sum": (lambda y: rectified(reduce(lambda z, i: z + 0.1 * F.relu(z - 0.1 * i), range(12), y)), 12),
    "larger of two": (largest, 1),
    "smaller of two": (smallest, 1),
}


class Between(nn.Module):
    """A function between two layers."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b, self.function = nn.Linear(5, 4), nn.Linear(4, 3), function

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.b(self.function(self.a(x)))
        return y


def relus(ann: Ann) -> int:
    """Populations of one ReLU each."""
    return sum(isinstance(node, Relu) for node in lower(ann).ann)


@pytest.mark.parametrize("case", BY_HAND)
def test_reads_activations_by_hand(case: str) -> None:
    function, expected = BY_HAND[case]
    assert relus(assert_read_and_lowered(Between(function), (5,))) == expected


@pytest.mark.parametrize("program", [lambda model, x: torch.export.export(model, (x,)).module(), torch.jit.trace])
def test_reads_them_in_programs(program: Callable[[nn.Module, Tensor], nn.Module]) -> None:
    for case in ("where zeros", "assigned", "one less a comparison", "between", "leaky"):
        function, expected = BY_HAND[case]
        model, x = Between(function).double().eval(), torch.randn(3, 5, dtype=torch.float64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is deprecated
            assert relus(read_torch(program(copy.deepcopy(model), x), (5,))) == expected


def test_reads_them_in_onnx(tmp_path: Path) -> None:
    from tests.ann.frontends.onnx.made import OnnxModel, carried_out, made, node, saved, weights

    nodes = [
        node("MatMul", "x w", "y"),
        node("Greater", "y zero", "above"),
        node("Cast", "above", "one", to=1),
        node("Mul", "y one", "relu", name="relu"),
        node("Not", "above", "below"),
        node("Where", "below slopes_y relu", "leaky"),
        node("MatMul", "leaky v", "z", name="last"),
    ]
    nodes.insert(1, node("Mul", "y slope", "slopes_y", name="slopes"))
    constants = {"w": weights(5, 4), "v": weights(4, 3), "zero": np.zeros((), np.float32), "slope": np.full((4,), 0.25, np.float32)}
    model = made(nodes, (5,), constants, output="z")
    carried_out(model, (5,), tmp_path)
    assert relus(OnnxModel(saved(model, tmp_path)).ann((5,))) == 2


Function: TypeAlias = Callable[[Tensor], Tensor]
NUMBERS = st.sampled_from([-0.5, 0.0, 0.25, 1.0])


@st.composite
def conditions(draw: st.DrawFn, depth: int) -> Function:
    """Comparisons, and what logic makes of them."""
    f, g, a = draw(functions(depth)), draw(functions(depth)), draw(NUMBERS)
    c: Function = draw(st.sampled_from([lambda y: f(y) > a, lambda y: f(y) <= a, lambda y: f(y) >= g(y), lambda y: f(y) < g(y)]))
    if depth == 0 or draw(st.booleans()):
        return c
    d = draw(conditions(depth - 1))
    return draw(st.sampled_from([lambda y: c(y) & d(y), lambda y: c(y) | d(y), lambda y: torch.logical_not(c(y))]))


@st.composite
def functions(draw: st.DrawFn, depth: int = 3) -> Function:
    """An activation as somebody may write it by hand."""
    if depth == 0:
        return draw(st.sampled_from([lambda y: y, F.relu]))
    f, g, c, a = draw(functions(depth - 1)), draw(functions(depth - 1)), draw(conditions(depth - 1)), draw(NUMBERS)
    ways: list[Function] = [
        *(lambda y: torch.where(c(y), f(y), g(y)), lambda y: f(y) * c(y).to(y.dtype), lambda y: f(y).masked_fill(c(y), a)),
        *(lambda y: f(y) + g(y), lambda y: f(y) - g(y), lambda y: 0.5 * f(y) + a, lambda y: f(y) * (1 - c(y).to(y.dtype))),
        *(lambda y: torch.abs(f(y)), lambda y: torch.maximum(f(y), g(y)), lambda y: torch.minimum(f(y), g(y))),
        *(
            lambda y: torch.clamp(f(y), -0.5, 0.75),
            lambda y: F.leaky_relu(f(y), 0.3),
            lambda y: F.relu(f(y)),
            lambda y: torch.sign(f(y)) * g(y),
        ),
    ]
    return draw(st.sampled_from(ways))


FORMS: dict[str, Callable[[nn.Module, Tensor, Path], FloatModel]] = {
    "module": lambda model, x, folder: TorchModel(model),
    "half": lambda model, x, folder: TorchModel(model.half()),
    "bfloat16": lambda model, x, folder: TorchModel(model.bfloat16()),
    "traced": lambda model, x, folder: TorchModel(torch.jit.trace(model, x)),
    "onnx": lambda model, x, folder: as_onnx(model, x, folder),
}


def as_onnx(model: nn.Module, x: Tensor, folder: Path) -> FloatModel:
    from tests.ann.frontends.onnx.made import OnnxModel

    torch.onnx.export(model, (x,), str(folder / "model.onnx"), dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}})
    return OnnxModel(folder / "model.onnx")


@given(functions(), st.sampled_from(list(FORMS)))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_read_is_what_is_computed(tmp_path: Path, function: Function, form: str) -> None:
    model, x = Between(function).eval(), torch.randn(64, 5, generator=torch.Generator().manual_seed(0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is deprecated, and of constants in traces
        read = FORMS[form](copy.deepcopy(model), x, tmp_path)
    if not read.problems((5,)):
        exact = model.to({"half": torch.half, "bfloat16": torch.bfloat16}.get(form, torch.float32)).double()
        expected = exact(x.double()).detach()
        for ann in (read.ann((5,)), lower(read.ann((5,))).ann):
            result = outputs_of(ann, Evaluator(ann, dtype=torch.float64)(x.double())[0])
            torch.testing.assert_close(result, expected, rtol=1e-3, atol=1e-3 * max(1.0, float(expected.abs().max())))


REFUSED: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "a comparison": (lambda y: (y > 0.5).double(), "gt: gt jumps from 0 to 1 where values pass 0.5; write a ReLU as"),
    "a jump": (lambda y: torch.where(y > 0.5, y, 0), "where: where jumps from 0 to 0.5 where values pass 0.5"),
    "a gate": (lambda y: torch.where(y > 0, y.flip(1), 0), "where: where selects by other values .* that is a gate"),
    "a product": (lambda y: (y > 0) * y.flip(1), "mul: mul multiplies two activations"),
    "a square": (lambda y: F.relu(y) * y, "mul: mul ends a curved function of one activation; .* by approximate=2"),
    "conditions on two": (lambda y: y * ((y > 0) & (y.flip(1) > 0)), "and_: and_ joins conditions on different values"),
    "no condition": (
        lambda y: y * torch.logical_not(torch.sign(y)),
        "logical_not: logical_not takes a condition that is not one of true and false",
    ),
    "a product with another": (lambda y: y * (y[:, :1] > y), "mul: mul multiplies two activations"),
    "constants added to others": (lambda y: y.flip(1) + y * (y < y), "mul: mul gives nothing but constants; leave it out"),
    "exponential": (
        lambda y: torch.where(y > 0, y, y.exp() - 1),
        "where: where ends a curved function of one activation; .* by approximate=2",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_what_jumps_by_name_once(case: str) -> None:
    function, message = REFUSED[case]
    found = problems(Net(lambda m, x: m.b(function(m.a(x))), a=nn.Linear(5, 4), b=nn.Linear(4, 3)).double(), (5,))
    assert len(found) <= 2
    assert re.match(message, str(found[0])), str(found)
