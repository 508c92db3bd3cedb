"""Files are told by what is in them, whatever they are called."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import loihiconv as lc
from loihiconv.ann.frontends import readable
from loihiconv.ann.frontends.formats import content, is_keras, is_onnx
from loihiconv.core.errors import InvalidModel

KERAS = Path(__file__).parents[2] / "fixtures" / "keras"
VARINTS = b"\x08\x08"  # ir_version 8
GRAPH = b"\x3a\x02\x0a\x00"  # field 7, two bytes long


def refused(path: Path) -> str:
    with pytest.raises(InvalidModel) as caught:
        readable(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def named(folder: Path, data: bytes) -> Path:
    path = folder / "model.pdf"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("data", [VARINTS + GRAPH, b"\x12\x01x" + GRAPH + VARINTS, b"\x08\x08\x12\x07pytorch\x3a\xff\xff\x03 cut off"])
def test_onnx(data: bytes, tmp_path: Path) -> None:
    assert is_onnx(content(named(tmp_path, data)))


@pytest.mark.parametrize(
    "data", [b"\x08\x01\x12\x02ab", b"\x0a\x03abc", VARINTS, b"\x08\x08\x1d\x00\x00\x00\x00", b"\x08", b"text", b"\x3a\x08short"]
)
def test_what_is_not_onnx(data: bytes, tmp_path: Path) -> None:
    assert not is_onnx(content(named(tmp_path, data)))


def test_keras(tmp_path: Path) -> None:
    for name in ("residual.keras", "residual.h5"):
        assert is_keras(content(named(tmp_path, (KERAS / name).read_bytes())))
    assert is_keras(content(named(tmp_path, bytes(512) + b"\x89HDF\r\n\x1a\n")))


class Scripted(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.relu()


class Evil:
    """What a pickle may hold: unpickling it would make a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("/tmp/loihiconv-was-executed"),))


def torchscript(path: Path) -> None:
    torch.jit.save(torch.jit.script(Scripted()), str(path))


def exported(path: Path) -> None:
    with open(path, "wb") as file:
        torch.export.save(torch.export.export(Scripted(), (torch.zeros(1, 2),)), file)


def checkpoint(path: Path) -> None:
    torch.save(nn.Linear(2, 3).state_dict(), path)


def old_checkpoint(path: Path) -> None:
    torch.save(nn.Linear(2, 3).state_dict(), path, _use_new_zipfile_serialization=False)


def safetensors(path: Path) -> None:
    path.write_bytes((27).to_bytes(8, "little") + b'{"w":{"dtype":"F32"}}      ' + bytes(20))


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps(Evil()))


def arrays(path: Path) -> None:
    with open(path, "wb") as file:
        np.savez(file, x=np.zeros(3))


def archive(*names: str, cut: bool = False) -> Any:
    def write(path: Path) -> None:
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as file:
            for name in names:
                file.writestr(name, "content")
        path.write_bytes(data.getvalue()[:-30] if cut else data.getvalue())

    return write


KNOWN = {
    torchscript: "is TorchScript, a program that would have to be carried out to be read; .*torch.onnx.export",
    exported: "is a program of torch.export, .*torch.onnx.export",
    checkpoint: "is a checkpoint of PyTorch, which holds weights and no network; .*build the network with a factory .*--weights",
    old_checkpoint: "is a checkpoint of PyTorch, which holds weights and no network",
    safetensors: "is safetensors, which hold weights and no network; .*--weights",
    pickled: "is a pickle, which can only be read by executing code that stands in it",
    arrays: "is NumPy arrays, no network",
    archive("network.json", "SHA256SUMS"): "is a network that loihiconv has converted; .*loihiconv run",
    archive("a", "b", cut=True): "is a damaged or truncated ZIP archive",
    archive("a", "b"): "is of a kind that is not known; an nn.Module, .* an ONNX file, a file of lava-dl or a Keras file expected",
    lambda path: path.write_bytes(b"\x1c\x00\x00\x00TFL3" + bytes(40)): "is a TensorFlow Lite model",
    lambda path: path.write_bytes(b"\x08\x01\x12\x02ab"): "is a TensorFlow SavedModel",
    lambda path: path.write_bytes(b"some text"): "is of a kind that is not known",
    lambda path: path.write_bytes(b""): "is empty",
}


@pytest.mark.parametrize("write", KNOWN, ids=list(map(str, range(len(KNOWN)))))
def test_what_cannot_be_read_is_said_with_what_to_do(write: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    write(path)
    with pytest.raises(InvalidModel, match=KNOWN[write]):
        readable(path)
    assert not Path("/tmp/loihiconv-was-executed").exists()


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.onnx").endswith("none.onnx: no such file")
    assert "is a folder; give the model's file" in refused(tmp_path)
    (tmp_path / "saved_model.pb").touch()
    assert "is a folder; a TensorFlow SavedModel" in refused(tmp_path)
    assert "cannot be read" in refused(Path("a\0b"))
    (tmp_path / "nets.py").write_text("def lenet(): ...")
    assert "nets.py: is Python code; " in (said := refused(tmp_path / "nets.py"))
    assert said.endswith("name the function in it that builds the model: file.py:function")


def test_saved_networks_of_our_own(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((20, 6), np.float32)
    lc.convert(nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3)), x, board=None, timesteps=4).save(tmp_path / "net.lnet")
    assert "is a network that loihiconv has converted" in refused(tmp_path / "net.lnet")


@given(st.binary(min_size=1, max_size=80), st.sampled_from([b"", b"PK\x03\x04", b"\x08\x08\x12\x01", b"\x80\x02", b"\x89HDF\r\n\x1a\n"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_end_in_a_line(tmp_path: Path, data: bytes, head: bytes) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("h5py", reason="h5py is not installed")
    with suppress(lc.LoihiconvError):
        readable(named(tmp_path, head + data))


def test_huge_lengths_and_sizes_are_no_trouble(tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="h5py is not installed")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", json.dumps({"class_name": "Sequential", "config": {"layers": []}}))
        file.writestr("model.weights.h5", bytes(10))
    forged = bytearray(data.getvalue())
    at = forged.rindex(b"PK\x01\x02") + 24  # uncompressed size in the directory
    forged[at : at + 4] = (2**32 - 2).to_bytes(4, "little")
    assert "model.weights.h5 claims 4,294,967,294 bytes" in refused(named(tmp_path, bytes(forged)))
