"""Weights are found wherever a checkpoint has them and whatever their names begin with; no code of a file is run."""

from __future__ import annotations

import argparse
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from loihiconv.ann.frontends.checkpoints import NESTS, PREFIXES
from loihiconv.ann.frontends.loading import load_weights
from loihiconv.core.errors import InvalidModel
from tests.ann.frontends.programs import Cnn, quietly

State = dict[str, Any]


@pytest.fixture
def state() -> State:
    return dict(Cnn().state_dict())


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., tuple[str, ...]]:
    def load(content: Any, model: nn.Module) -> tuple[str, ...]:
        torch.save(content, tmp_path / "w.pt")
        return load_weights(model, tmp_path / "w.pt")

    return load


def test_damaged_checkpoints_end_in_a_line(load: Callable[..., tuple[str, ...]], state: State, tmp_path: Path) -> None:
    load({"state_dict": state, 0: torch.zeros(3)}, Cnn())
    itself: dict[str, Any] = {}
    itself["state_dict"] = itself
    for content in ({0: torch.zeros(3)}, itself):
        with pytest.raises(InvalidModel, match="no state dict"):
            load(content, Cnn())
    torch.save(state, tmp_path / "w.pt")
    data = (tmp_path / "w.pt").read_bytes()
    (tmp_path / "w.pt").write_bytes(data.replace(b"PK\x01\x02", b"PK\xff\xff"))
    with pytest.raises(InvalidModel, match=r"w\.pt: "):
        load_weights(Cnn(), tmp_path / "w.pt")


def prefixed(prefix: str, state: State) -> State:
    return {prefix + key: value for key, value in state.items()}


def assert_loaded(model: nn.Module, state: State) -> None:
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())


OTHERS = (
    "_orig_mod.",
    "module._orig_mod.",
    "_orig_mod.module.",
    "model.module.",
    "net.model.backbone.",
    "ema.module.",
    "mine.",
    "lit.wrapped.",
)


@pytest.mark.parametrize("prefix", [*PREFIXES, *OTHERS])
def test_names_may_begin_as_they_like(prefix: str, state: State, load: Any) -> None:
    model = Cnn()
    notes = load(prefixed(prefix, state), model)
    assert_loaded(model, state)
    told = prefix.replace("_orig_mod.", "")
    assert notes == ((f"w.pt: names of weights are read without {prefix!r} before them",) if told not in ("", "module.") else ())


@pytest.mark.parametrize("nest", NESTS)
def test_weights_are_found_in_a_checkpoint(nest: str, state: State, load: Any) -> None:
    model = Cnn()
    assert load({"epoch": 3, "optimizer": {"state": {}}, nest: prefixed("module.", state)}, model) == ()
    assert_loaded(model, state)


def test_the_first_that_fits_is_taken_and_said(state: State, load: Any) -> None:
    model, others = Cnn(), {key: value + 1 for key, value in state.items()}
    assert load({"ema": others, "model": state}, model) == ("w.pt: weights under 'model' are taken; those under 'ema' would fit as well",)
    assert_loaded(model, state)
    assert load({"model": {"x": torch.ones(1)}, "ema": {"state_dict": others}}, model) == ()
    assert_loaded(model, others)
    notes = load({**prefixed("ema.", others), **prefixed("model.", state)}, model)
    assert_loaded(model, state)
    assert "read without 'model.'" in notes[0]
    assert "left out, since the model has nothing of that name: ema." in notes[1]


def test_what_holds_itself_under_many_names_is_looked_at_once(state: State, load: Any) -> None:
    model, content = Cnn(), dict[str, Any](state)
    content.update(dict.fromkeys(NESTS, content))
    assert load(content, model) == ()
    assert_loaded(model, state)


def test_lightning_checkpoints(state: State, load: Any) -> None:
    model = Cnn()
    weights = {**prefixed("model.", state), "loss.weight": torch.ones(3)}
    notes = load({"state_dict": weights, "hyper_parameters": {"lr": 0.1}, "pytorch-lightning_version": "2.4", "loops": {}}, model)
    assert_loaded(model, state)
    assert notes[1] == "w.pt: left out, since the model has nothing of that name: loss.weight"


def test_weights_beside_other_entries(state: State, load: Any) -> None:
    model = Cnn()
    load({**state, "epoch": 3}, model)
    assert_loaded(model, state)


class Holder(nn.Module):
    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.model = inner


def test_wrapped_models_take_weights_too(state: State, load: Any) -> None:
    for model in (nn.DataParallel(Cnn()), torch.compile(Cnn()), nn.DataParallel(torch.compile(Cnn()))):  # type: ignore[arg-type]
        load(prefixed("module.", state), model)
        assert_loaded(inner_of(model), state)
    compiled = Holder(torch.compile(Cnn()))
    load(prefixed("model.", state), compiled)
    assert_loaded(inner_of(compiled.model), state)
    again = Holder(torch.compile(Cnn()))
    load(compiled.state_dict(), again)
    assert_loaded(inner_of(again.model), state)
    bare = Holder(Cnn())
    assert load(state, bare) == ("w.pt: names of weights are read with 'model.' before them",)
    assert_loaded(bare.model, state)


def inner_of(model: Any) -> nn.Module:
    return next(part for part in model.modules() if type(part) is Cnn)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_becomes_the_models(dtype: torch.dtype, state: State, tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    halved = {key: value.to(dtype) if value.is_floating_point() else value for key, value in state.items()}
    safetensors.save_file(halved, tmp_path / "w.safetensors", metadata={"format": "pt"})
    model = Cnn()
    assert load_weights(model, tmp_path / "w.safetensors") == ()
    assert model.fc.weight.dtype == torch.float32
    assert torch.equal(model.fc.weight, halved["fc.weight"].float())


def test_tensors_that_are_one_are_stored_once(load: Any) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    weights = {key: value + 1 for key, value in model.state_dict().items() if key != "1.weight"}
    load(weights, model)
    assert torch.equal(model[1].weight, weights["0.weight"])


def test_heads_that_differ_are_named(state: State, load: Any) -> None:
    without = {key: value for key, value in state.items() if not key.startswith("fc.")}
    with pytest.raises(InvalidModel, match=r"lacks fc\.weight, fc\.bias; only fc is missing: the file holds the network without its head"):
        load(without, Cnn())
    with pytest.raises(InvalidModel, match=r"has head\.weight, which the model does not know; only head is too many"):
        load({**state, "head.weight": torch.ones(1)}, Cnn())
    with pytest.raises(
        InvalidModel, match=r"other shapes for fc\.weight \(\(9, 36\), model \(5, 36\)\).*as many outputs as the file has, 9"
    ):
        load({"model": {**state, "fc.weight": torch.ones(9, 36), "fc.bias": torch.ones(9)}}, Cnn())


def test_a_file_that_fits_in_part_leaves_the_model_alone(state: State, load: Any) -> None:
    model = Cnn()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(InvalidModel):
        load({key: value for key, value in state.items() if key != "fc.bias"}, model)
    assert_loaded(model, before)


class Config(dict[str, Any]):
    """Stands for the configuration objects that trainers save beside weights."""


def test_objects_are_never_built(state: State, load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("omegaconf")
    module.Config = Config  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "omegaconf", module)
    monkeypatch.setattr(Config, "__module__", "omegaconf")
    for saved, name in ((Config(lr=1), r"omegaconf\.Config"), (argparse.Namespace(lr=1), r"argparse\.Namespace")):
        with pytest.raises(InvalidModel, match=rf"holds Python objects \({name}\).*weights_only=False and save the weights alone"):
            load({"state_dict": state, "hyper_parameters": saved}, Cnn())


def test_what_holds_no_weights_is_said(load: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="holds a dict that is no state dict; its keys are epoch, opt"):
        load({"epoch": 1, "opt": {"lr": 1}}, Cnn())
    with pytest.raises(InvalidModel, match="holds a dict that is no state dict; save"):
        load({}, Cnn())
    program = quietly(torch.jit.script, Cnn())
    quietly(program.save, tmp_path / "program.pt")
    with pytest.raises(InvalidModel, match=r"holds a whole model.*give torch\.jit\.load of it"):
        load_weights(Cnn(), tmp_path / "program.pt")
    exported = quietly(torch.export.export, nn.Linear(2, 2), (torch.rand(1, 2),))
    torch.export.save(exported, tmp_path / "program.pt2")
    with pytest.raises(InvalidModel, match=r"holds a whole model.*give torch\.export\.load of it"):
        load_weights(Cnn(), tmp_path / "program.pt2")
