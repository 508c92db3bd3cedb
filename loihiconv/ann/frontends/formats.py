"""What a file is, told by its content: magic bytes and structure, never its name.

Nothing of a file is carried out or unpacked here; only its first bytes, the names in an archive, and the outermost fields of a protocol
buffer are looked at. So no package is needed to say what a file is.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

from loihiconv.core.errors import InvalidModel

HEAD = 4096
"""Bytes of a file that are looked at."""
HDF5 = b"\x89HDF\r\n\x1a\n"
TUNED = b'{"__metadata__":{"loihiconv":'
"""How the header of a fine-tuned network begins, behind its length."""
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_LEGACY_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19"  # torch's magic number, pickled
_VARINT, _LENGTH = 0, 2  # wire types: https://protobuf.dev/programming-guides/encoding
_ONNX_FIELDS = {
    **dict.fromkeys((1, 5), _VARINT),  # ir_version, model_version
    **dict.fromkeys((2, 3, 4, 6, 7, 8, 14, 20, 25, 26), _LENGTH),  # producer, domain, doc, graph, opsets, metadata, training, functions
}
_MOST_FIELDS = 100_000
_ONNX_GRAPH, _SAVED_MODEL = 7, {1: _VARINT, 2: _LENGTH}


@dataclass(frozen=True)
class Content:
    """What can be seen of a file from outside.

    Attributes
    ----------
    path : Path
    size : int
        In bytes.
    head : bytes
        The first bytes.
    members : tuple of str
        Names of what a ZIP archive holds; empty for anything else, and for a damaged one.
    """

    path: Path
    size: int
    head: bytes
    members: tuple[str, ...]

    @property
    def is_zip(self) -> bool:
        """Whether it begins as a ZIP archive does."""
        return self.head.startswith(_ZIP)

    @property
    def is_hdf5(self) -> bool:
        """Whether it is HDF5, after a user block or not."""
        return any(self.head[at : at + len(HDF5)] == HDF5 for at in (0, 512, 1024, 2048))

    def holds(self, *names: str) -> bool:
        """Whether an archive has all of these members, in its root or in its one folder."""
        folders = {name.partition("/")[0] for name in self.members}
        within = f"{folders.pop()}/" if len(folders) == 1 else ""
        return all(name in self.members or within + name in self.members for name in names)

    @cached_property
    def fields(self) -> tuple[dict[int, int], bool]:
        """Outermost fields of a protocol buffer with their wire types, and whether the file ends where the last one does."""
        with open(self.path, "rb") as file:
            return _outer_fields(file, self.size)


def content(path: str | os.PathLike[str]) -> Content:
    """Look at a file.

    Raises
    ------
    InvalidModel
        If there is none, it is a folder, empty, or cannot be read.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            head, size = file.read(HEAD), os.fstat(file.fileno()).st_size
        members = tuple(member_names(path)) if head.startswith(_ZIP) else ()
    except IsADirectoryError as error:
        saved = "; a TensorFlow SavedModel" if (path / "saved_model.pb").is_file() else ""
        remedy = "write one file: model.save('model.keras'), or tf2onnx" if saved else "give the model's file"
        raise InvalidModel(f"is a folder{saved}", where=str(path), remedy=remedy) from error
    except FileNotFoundError as error:
        raise InvalidModel("no such file", where=str(path)) from error
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        raise InvalidModel(f"cannot be read: {getattr(error, 'strerror', None) or error}", where=repr(str(path))) from error
    if not head:
        raise InvalidModel("is empty", where=str(path))
    return Content(path, size, head, members)


def member_names(path: Path) -> list[str]:
    """Names of what a ZIP archive holds; none of anything else, and of a damaged one."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except Exception:  # damaged in one of many ways: struct.error, ValueError, NotImplementedError, OverflowError, ...
        return []


def _outer_fields(file: IO[bytes], size: int) -> tuple[dict[int, int], bool]:
    found: dict[int, int] = {}
    for _ in range(_MOST_FIELDS):
        if (at := file.tell()) >= size:
            return found, True
        key = _varint(file)
        number, wire = (key or 0) >> 3, (key or 0) & 7
        length = _varint(file) if wire in (_VARINT, _LENGTH) else None
        if not number or length is None:
            return (found, False) if at else ({}, False)
        found[number] = wire
        if wire == _LENGTH:
            if file.tell() + length > size:
                return found, False
            file.seek(length, os.SEEK_CUR)
    return found, False


def _varint(file: IO[bytes]) -> int | None:
    value = 0
    for shift in range(0, 64, 7):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return None


# --- what can be read


def is_onnx(file: Content) -> bool:
    """An ONNX model: a protocol buffer of `onnx.ModelProto`'s fields, perhaps cut off."""
    if file.head[0] not in (0x08, 0x12, 0x1A, 0x22, 0x3A, 0x42):  # version, producer, its version, domain, graph, opsets
        return False
    fields, complete = file.fields
    known = bool(fields) and all(_ONNX_FIELDS.get(number) == wire for number, wire in fields.items())
    return known and (_ONNX_GRAPH in fields if complete else 1 in fields and len(fields) > 1)


def is_keras(file: Content) -> bool:
    """A ``.keras`` archive, or HDF5, in which Keras has kept models before."""
    return file.is_hdf5 or "config.json" in file.members


def is_tuned(file: Content) -> bool:
    """Safetensors that begin with what `loihiconv.ann.frontends.tuned_file` writes."""
    return file.head[8:].startswith(TUNED)


# --- what is known, and cannot be read


def refusal(file: Content, readable: str) -> InvalidModel:
    """The error for a file that no front end reads: what it is, and what to do.

    Parameters
    ----------
    readable : str
        What can be read, for the message.
    """
    for is_it, what, remedy in _KNOWN:
        if is_it(file):
            return InvalidModel(f"is {what}", where=str(file.path), limit=f"{readable} expected", remedy=remedy)
    return InvalidModel("is of a kind that is not known", where=str(file.path), limit=f"{readable} expected", remedy=_EXPORT)


def _is_torchscript(file: Content) -> bool:
    return file.holds("constants.pkl") and any("code/" in name for name in file.members)


def _is_exported(file: Content) -> bool:
    names = {name.rpartition("/")[2] for name in file.members}
    return "serialized_exported_program.json" in names or file.holds("archive_format")


def _is_checkpoint(file: Content) -> bool:
    return file.holds("data.pkl") or file.head.startswith(_LEGACY_TORCH)


def _is_safetensors(file: Content) -> bool:
    return int.from_bytes(file.head[:8], "little") < file.size and file.head[8:10] == b'{"'


def _is_saved_network(file: Content) -> bool:
    return file.holds("network.json", "SHA256SUMS")


def _is_pickle(file: Content) -> bool:
    return file.head[:1] == b"\x80" and file.head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")


def _is_saved_model(file: Content) -> bool:
    return file.head[0] in (0x08, 0x12) and file.fields[0] == _SAVED_MODEL


def _is_python(file: Content) -> bool:
    return file.path.suffix == ".py"  # nothing else tells code from other text


_FACTORY = (
    "build the network with a factory (package.module:function) and give this file as its weights: --weights, or "
    "loihiconv.ann.frontends.loading.load_weights(model, path)"
)
_EXPORT = 'write it as ONNX: torch.onnx.export(model, example, "model.onnx"), or tf2onnx'
_KNOWN = (
    (_is_saved_network, "a network that loihiconv has converted", "run it: loihiconv run, or loihiconv.run(loihiconv.load(path), x)"),
    (
        _is_exported,
        "a program of torch.export, which PyTorch can only load by evaluating expressions that stand in it",
        f"{_EXPORT}, or give the nn.Module",
    ),
    (
        _is_torchscript,
        "TorchScript, a program that would have to be carried out to be read",
        f"{_EXPORT}, or give the nn.Module",
    ),
    (_is_checkpoint, "a checkpoint of PyTorch, which holds weights and no network", _FACTORY),
    (_is_safetensors, "safetensors, which hold weights and no network", _FACTORY),
    (_is_pickle, "a pickle, which can only be read by executing code that stands in it", _EXPORT),
    (
        lambda file: file.head[4:8] == b"TFL3",
        "a TensorFlow Lite model, which is quantized already",
        "convert the float network: save it with Keras",
    ),
    (_is_saved_model, "a TensorFlow SavedModel", "save it with Keras, model.save('model.keras'), or write it as ONNX with tf2onnx"),
    (lambda file: file.is_zip and not file.members, "a damaged or truncated ZIP archive", "copy or write it again"),
    (
        lambda file: file.head.startswith(b"\x93NUMPY") or any(n.endswith(".npy") for n in file.members),
        "NumPy arrays, no network",
        "give them as data, beside a model file or a factory",
    ),
    (_is_python, "Python code", "name the function in it that builds the model: file.py:function"),
)
