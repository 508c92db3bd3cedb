"""Weights and factories from files, and what is said when they are not right."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from loihiconv.ann.frontends.loading import load_factory, load_weights
from loihiconv.core.errors import InvalidModel


def net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def save(content: object, path: Path) -> Path:
    torch.save(content, path)
    return path


@pytest.mark.parametrize("key", ["", "state_dict", "model_state_dict"])
def test_state_dicts_are_loaded(tmp_path: Path, key: str) -> None:
    source, target = net(), net()
    state = source.state_dict()
    load_weights(target, save({key: state, "epoch": 3} if key else state, tmp_path / "w.pt"))
    assert torch.equal(source[0].weight, target[0].weight)


def test_data_parallel_prefix_and_lack_of_counters_do_not_matter(tmp_path: Path) -> None:
    source, target = net(), net()
    state = {f"module.{k}": v for k, v in source.state_dict().items() if "num_batches" not in k}
    load_weights(target, save(state, tmp_path / "w.pth"))
    assert torch.equal(source[0].weight, target[0].weight)


def test_safetensors_are_loaded(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    source, target = net(), net()
    safetensors.save_file(source.state_dict(), tmp_path / "w.safetensors")
    load_weights(target, tmp_path / "w.safetensors")
    assert torch.equal(source[0].weight, target[0].weight)


def test_files_that_will_not_do(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="no such file"):
        load_weights(net(), tmp_path / "none.pt")
    with pytest.raises(InvalidModel, match="only tensors are read, since loading anything else would execute code"):
        load_weights(net(), save(net(), tmp_path / "whole.pt"))
    with pytest.raises(InvalidModel, match="holds a list that is no state dict"):
        load_weights(net(), save([1, 2], tmp_path / "list.pt"))
    (tmp_path / "junk.pt").write_bytes(b"junk")
    with pytest.raises(InvalidModel, match=r"junk\.pt"):
        load_weights(net(), tmp_path / "junk.pt")


def test_keys_that_do_not_match_are_named(tmp_path: Path) -> None:
    other = nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Linear(2, 2))
    with pytest.raises(InvalidModel, match=r"lacks 1\.weight.*has 2\.weight, 2\.bias.*0\.weight \(\(2, 4\), model \(2, 3\)\)"):
        load_weights(net(), save(other.state_dict(), tmp_path / "w.pt"))


def test_factories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "lenet_factory.py").write_text(
        "from torch import nn\ndef build(): return nn.Linear(2, 1)\ndef wrong(): return 1\ndef fails(): raise OSError('gone')\nsize = 3\n"
    )
    assert isinstance(load_factory("lenet_factory:build"), nn.Linear)
    for name, message in {
        "lenet_factory": "write package.module:function",
        "nowhere_to_be_found:build": "there is no module 'nowhere_to_be_found'",
        "lenet_factory:biuld": "has no 'biuld'; it has: build",
        "lenet_factory:size": "size is a int",
        "lenet_factory:wrong": "returns a int; an nn.Module, a torch.export program, .*, an ONNX file, .* or a Keras file expected",
        "lenet_factory:fails": "OSError: gone",
    }.items():
        with pytest.raises(InvalidModel, match=message):
            load_factory(name)
