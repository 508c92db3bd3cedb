"""Traced, scripted and frozen models are read as the models that they were made from, under the same names."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import loihiconv as lc
from loihiconv.ann.frontends import readable
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from tests.ann.frontends.programs import SHAPE, Cnn, assert_read_alike, kinds, quietly
from tests.ann.frontends.test_layers import SUPPORTED


def traced(model: nn.Module, x: Tensor) -> nn.Module:
    return quietly(torch.jit.trace, model, x.clone(), check_trace=False)  # type: ignore[no-any-return]


def scripted(model: nn.Module, x: Tensor | None = None) -> nn.Module:
    return quietly(torch.jit.script, model)  # type: ignore[no-any-return]


def frozen(model: nn.Module, x: Tensor) -> nn.Module:
    return quietly(torch.jit.freeze, scripted(model))  # type: ignore[no-any-return]


@pytest.mark.parametrize("program", [traced, scripted])
def test_programs_are_read_as_their_models(program: Any) -> None:
    as_written, read = assert_read_alike(Cnn(), SHAPE, program)
    assert kinds(read) == kinds(as_written)
    assert readable(program(Cnn().eval(), torch.rand(1, *SHAPE))).name == "Cnn"


def test_frozen_programs_have_batch_norm_folded() -> None:
    as_written, read = assert_read_alike(Cnn(), SHAPE, frozen)
    kept = [(name.removeprefix("blocks."), kind) for name, kind in kinds(as_written) if name != "bn"]
    assert kinds(read) == kept  # lists of layers have lost their names, too


def test_frozen_programs_in_half_precision_are_evaluated_in_it() -> None:
    program = frozen(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 2)).half().eval(), torch.rand(1))
    assert lc.convert(program, np.random.default_rng(0).random((9, *SHAPE), np.float32), board=None, timesteps=4).populations


@pytest.mark.parametrize("case", SUPPORTED)
def test_traced_layers_compute_the_same(case: str) -> None:
    assert_read_alike(*SUPPORTED[case][:2], traced)


@pytest.mark.parametrize("case", [case for case, (model, *_) in SUPPORTED.items() if type(model).__module__.startswith("torch.nn")])
def test_scripted_layers_compute_the_same(case: str) -> None:
    model, shape = SUPPORTED[case][:2]
    try:
        scripted(copy.deepcopy(model))
    except RuntimeError:
        pytest.skip("TorchScript does not compile it: whole numbers in place of others, or functions as attributes")
    assert_read_alike(model, shape, scripted)


def test_saved_programs_and_programs_inside_of_models(tmp_path: Path) -> None:
    inner = scripted(Cnn().eval())
    inner.save(tmp_path / "net.pt")
    loaded = quietly(torch.jit.load, tmp_path / "net.pt")
    as_written, read = assert_read_alike(nn.Sequential(loaded, nn.ReLU(), nn.Linear(5, 2)), SHAPE, lambda model, x: model)
    assert [node.name for node in read][:4] == ["input", "0.conv", "0.bn", "0.relu"]
    assert kinds(read) == kinds(as_written)


class Loops(nn.Module):
    """Conditions and loops that shapes decide, lists, and an argument with a default."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 2)])

    def forward(self, x: Tensor, rounds: int = 2) -> Tensor:
        if x.dim() != 2:
            raise ValueError(f"{x.dim()} axes")
        collected: list[Tensor] = []
        for layer in self.layers:
            x = layer(x)
            collected.append(x)
        for i in range(rounds):
            if i % 2 == 0 and x.shape[1] == 2:
                x = F.relu(x)
        return torch.cat([collected[0], x], dim=1)


def test_conditions_and_loops_on_shapes_take_their_way() -> None:
    as_written, read = assert_read_alike(Loops(), (3,), scripted)
    assert kinds(read) == kinds(as_written)
    with pytest.raises(InvalidModel, match=r"Loops: forward\(\) raises: 3 axes; give the shape of one sample"):
        read_torch(scripted(Loops()), (2, 3))


class OnValues(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.sum() > 0:
            return x
        return -x


class LoopOnValues(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        for _ in range(int(x.sum())):
            x = x.relu()
        return x


@pytest.mark.parametrize(
    ("model", "what"), [(OnValues(), "prim::If: .* a branch on values"), (LoopOnValues(), "decides on the values|a loop on")]
)
def test_conditions_and_loops_on_values_are_refused(model: nn.Module, what: str) -> None:
    with pytest.raises(UnsupportedLayer, match=what):
        read_torch(scripted(model), (3,))


class Unknown(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(torch.sort(x, 1)[0])


def test_operations_are_refused_by_the_name_that_users_know() -> None:
    assert [problem.split(";")[0] for problem in lc.check(scripted(Unknown()), (3,)).problems] == [
        "sort: sort cannot be converted",
        "gelu: gelu cannot be converted",
    ]


class Two(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y


def test_several_inputs_and_training_mode_are_refused() -> None:
    both = torch.rand(2, 3), torch.rand(2, 3)
    for program in (scripted(Two()), quietly(torch.jit.trace, Two(), both)):
        with pytest.raises(UnsupportedLayer, match=r"Two: forward\(\) takes 2 inputs \(x, y\)"):
            read_torch(program, (3,))
    with pytest.raises(UnsupportedLayer, match=r"bn: the graph was made in training mode.*call model\.eval\(\)"):
        read_torch(traced(Cnn().train(), torch.rand(2, *SHAPE)), SHAPE)


def test_a_program_is_left_as_it_was() -> None:
    program = scripted(Cnn().half().train())
    before = copy.deepcopy(program.state_dict())
    read_torch(program, SHAPE)
    readable(program).outputs(torch.rand(2, *SHAPE).numpy())
    assert program.training
    assert all(torch.equal(value, before[key]) for key, value in program.state_dict().items())
