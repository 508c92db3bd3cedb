"""One dataclass with all in it as one ``.lnet`` file: arrays and JSON, checksummed, versioned, nothing executable.

The file is a zip of

``network.json``
    format name and version, and the network as `loihiconv.core.dataclass_json` describes dataclasses.
``populations.1.bias.npy`` ...
    one numpy array each, in C order, without pickles.
``SHA256SUMS``
    checksums of all other members, as ``sha256sum --check`` reads them.

Members are stored, not compressed: the same network always gives the same bytes, and what a file claims to hold can
never be larger than the file. Which classes and fields there are is the caller's business (`loihiconv.core.network`). Changing or removing
a field needs a new `VERSION`, and a line in `loihiconv.core.upgrade`; adding one with a default does not.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from loihiconv.core.dataclass_json import AGAIN, UPDATE, Malformed, decode, encode, shown
from loihiconv.core.errors import ArtifactError
from loihiconv.core.files import read_bytes, replacing
from loihiconv.core.json_text import read_json
from loihiconv.core.linear import Array
from loihiconv.core.upgrade import upgraded

FORMAT = "loihiconv network"
VERSION = 2
"""Version of the file format; larger ones are refused."""

_DESCRIPTION, _CHECKSUMS = "network.json", "SHA256SUMS"
_JSON_LIMIT = 64 * 2**20
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold; a real one would make equal networks differ

_NPY: Any = np.lib.format  # numpy gives it no type hints

Value = TypeVar("Value")


def write(value: Any, path: str | os.PathLike[str]) -> None:
    """Write a dataclass to a file atomically. Reading gives back every value, dtype and array shape.

    Raises
    ------
    ArtifactError
        If it holds what the format does not, or the file cannot be written.
    """
    arrays: dict[str, Array] = {}
    try:
        description = encode(value, "", arrays)
        decode(description, type(value), "network", arrays)  # what is written can be read
    except Malformed as error:
        raise ArtifactError(f"cannot be saved: {error}", where=str(path)) from error
    head = json.dumps({"format": FORMAT, "version": VERSION, "network": description}, indent=1, allow_nan=False)
    members = {_DESCRIPTION: head.encode()} | {name: _npy(array) for name, array in arrays.items()}
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in members.items())
    try:
        _write(path, {**members, _CHECKSUMS: sums.encode()})
    except FileNotFoundError as error:
        raise ArtifactError("cannot be written: its folder does not exist", where=str(path), remedy="make the folder first") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ArtifactError(f"cannot be written: {getattr(error, 'strerror', None) or error}", where=str(path)) from error


def read(path: str | os.PathLike[str], cls: type[Value]) -> Value:
    """Read a dataclass from a file.

    Raises
    ------
    ArtifactError
        If the file is missing, truncated, altered, foreign or of a newer version.
    """
    try:
        members = _members(read_bytes(path))
        description = _description(members)
        _verify(members)
        arrays = {name: _array(data, name) for name, data in members.items() if name not in (_DESCRIPTION, _CHECKSUMS)}
        value = decode(description, cls, "network", arrays)
    except Malformed as error:
        raise ArtifactError(str(error), where=str(path), remedy=error.remedy) from error
    except RecursionError as error:
        raise ArtifactError("altered: nested too deeply", where=str(path), remedy=AGAIN) from error
    except FileNotFoundError as error:
        raise ArtifactError("no such file", where=str(path)) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ArtifactError(f"cannot be read: {getattr(error, 'strerror', None) or error}", where=str(path)) from error
    assert isinstance(value, cls)
    return value


# Bytes <-> values.


def _npy(array: Array) -> bytes:
    buffer = io.BytesIO()
    _NPY.write_array(buffer, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def _array(data: bytes, name: str) -> Array:
    buffer = io.BytesIO(data)
    try:
        if _NPY.read_magic(buffer) != (1, 0):
            raise ValueError("unknown version")
        shape, fortran_order, dtype = _NPY.read_array_header_1_0(buffer)
        if fortran_order or dtype.kind not in "biuf" or any(length < 0 for length in shape):
            raise ValueError("not an array of numbers in C order")
        # By hand, as numpy's reader would allocate whatever the header claims; the copy makes it writable and aligned.
        return np.frombuffer(data, dtype, offset=buffer.tell()).reshape(shape).copy()
    except Exception as error:  # numpy parses the header with Python's own parser, which lets out many kinds
        raise Malformed(f"its member {name} is not an array: {error}") from error


def _members(data: bytes) -> dict[str, bytes]:
    """All members of the zip, none of them larger than the file."""
    if not data:
        raise Malformed("the file is empty", AGAIN)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            names = [info.filename for info in infos]
            if _DESCRIPTION not in names:
                raise Malformed(f"not a loihiconv network: a zip file without {_DESCRIPTION}")
            if len(set(names)) < len(names):
                raise Malformed("altered: two members have the same name", AGAIN)
            if any(i.compress_type != zipfile.ZIP_STORED or i.file_size != i.compress_size for i in infos):
                raise Malformed("altered: its members are compressed", AGAIN)
            if sum(i.file_size for i in infos) > len(data):
                raise Malformed("altered: it claims to hold more than its size", AGAIN)
            return {info.filename: archive.read(info) for info in infos}
    except Malformed:
        raise
    except zipfile.BadZipFile as error:
        if data.startswith(b"PK"):
            raise Malformed("truncated or altered", AGAIN) from error
        raise Malformed("not a loihiconv network: not a zip file") from error
    except Exception as error:  # zipfile lets out many kinds on damaged headers: struct.error, RuntimeError, NotImplementedError, ...
        raise Malformed(f"altered: {error}", AGAIN) from error


def _description(members: Mapping[str, bytes]) -> Any:
    """The network's JSON; format and version are looked at before all else, which may differ in other versions."""
    text = members[_DESCRIPTION]
    if len(text) > _JSON_LIMIT:
        raise Malformed(f"{_DESCRIPTION} is larger than {_JSON_LIMIT >> 20} MiB")
    try:
        head = read_json(text)
    except ValueError as error:
        raise Malformed(f"altered: {_DESCRIPTION} is not JSON ({error})", AGAIN) from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise Malformed(f"not a loihiconv network: {_DESCRIPTION} does not say so")
    version = head.get("version")
    if type(version) is not int or version < 1:
        raise Malformed(f"its format version is {shown(version)}; 1 to {VERSION} expected")
    if version > VERSION:
        raise Malformed(f"written by a newer loihiconv (format {version}; this one reads up to {VERSION})", UPDATE)
    return upgraded(head.get("network"), version)


def _verify(members: Mapping[str, bytes]) -> None:
    lines = members.get(_CHECKSUMS, b"").decode(errors="replace").splitlines()
    expected = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    for name in sorted((members.keys() | expected.keys()) - {_CHECKSUMS}):
        if name not in members:
            raise Malformed(f"its member {name} is missing", AGAIN)
        if hashlib.sha256(members[name]).hexdigest() != expected.get(name):
            raise Malformed(f"altered: the checksum of its member {name} differs", AGAIN)


def _write(path: str | os.PathLike[str], members: Mapping[str, bytes]) -> None:
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system, info.external_attr = 3, 0o644 << 16  # else it would say which system wrote it
            archive.writestr(info, data)
