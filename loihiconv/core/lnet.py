"""Save and load a `Network` as one ``.lnet`` file: arrays and JSON, checksummed, versioned, nothing executable.

The file is a zip of

``network.json``
    format name and version, and the network as nested objects ``{"class": ..., field: ...}`` in which an array is
    ``{"array": member}``. Settings, calibration summary and provenance are the network's ``metadata``.
``populations.1.bias.npy`` ...
    one numpy array each, in C order, without pickles.
``SHA256SUMS``
    checksums of all other members, as ``sha256sum --check`` reads them.

Members are stored, not compressed: the same network always gives the same bytes, and what a file claims to hold can
never be larger than the file. Class and field names in the JSON are those of `loihiconv.core.network` and
`loihiconv.core.linear`, and their type hints say what may stand where: a new kind of population needs no change here.
Changing or removing a field needs a new `VERSION`; adding one with a default does not.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import reprlib
import zipfile
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from loihiconv.core.errors import ArtifactError
from loihiconv.core.files import replacing
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.core.version import __version__

FORMAT = "loihiconv network"
VERSION = 2
"""Version of the file format; larger ones are refused."""

_DESCRIPTION, _CHECKSUMS = "network.json", "SHA256SUMS"
_JSON_LIMIT = 64 * 2**20
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold; a real one would make equal networks differ
_AGAIN = "copy or save it again"
_REPR = reprlib.Repr()
_REPR.maxlevel = 1  # messages show the outside of a value


def save(network: Network, path: str | os.PathLike[str]) -> None:
    """Write a network to a file, whole or not at all.

    Loading gives back every value, dtype and array shape. The versions of loihiconv and numpy are added as
    ``metadata["saved"]`` unless the network was loaded from a file and has them.

    Parameters
    ----------
    network : Network
    path : path
        Customarily ``*.lnet``; its folder must exist. A file that is there is replaced.

    Raises
    ------
    ArtifactError
        If the network holds what the format does not, or the file cannot be written.
    """
    saved = {"loihiconv": __version__, "numpy": np.__version__}
    network = replace(network, metadata={"saved": saved, **network.metadata})
    arrays: dict[str, Array] = {}
    try:
        description = _encode(network, "", arrays)
        _decode(description, Network, "network", arrays)  # what is written can be read
    except _Malformed as error:
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


def load(path: str | os.PathLike[str]) -> Network:
    """Read a network from a file.

    Raises
    ------
    ArtifactError
        If the file is missing, truncated, altered, foreign or of a newer version.
    """
    try:
        with open(path, "rb") as file:
            members = _members(file.read())
            description = _description(members)
            _verify(members)
        arrays = {name: _array(data, name) for name, data in members.items() if name not in (_DESCRIPTION, _CHECKSUMS)}
        used: set[str] = set()
        network = _decode(description, Network, "network", arrays, used)
        if unused := sorted(arrays.keys() - used):
            raise _Malformed(f"the network does not use its member {unused[0]}")
    except _Malformed as error:
        raise ArtifactError(str(error), where=str(path), remedy=error.remedy) from error
    except FileNotFoundError as error:
        raise ArtifactError("no such file", where=str(path)) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ArtifactError(f"cannot be read: {getattr(error, 'strerror', None) or error}", where=str(path)) from error
    assert isinstance(network, Network)
    return network


class _Malformed(ValueError):
    """What is wrong with a file; `save` and `load` add which file."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.remedy = remedy


# Values <-> JSON, along the type hints of the dataclasses.


def _encode(value: Any, where: str, arrays: dict[str, Array]) -> Any:
    """JSON of a dataclass and all in it; its arrays are added to ``arrays`` under the name of their place."""
    if is_dataclass(value):
        prefix = f"{where}." if where else ""
        return {"class": type(value).__name__} | {f.name: _encode(getattr(value, f.name), prefix + f.name, arrays) for f in fields(value)}
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biuf":
            raise _Malformed(f"{where} is an array of {value.dtype}; numbers expected")
        arrays[f"{where}.npy"] = value
        return {"array": f"{where}.npy"}
    if isinstance(value, (tuple, list)):
        return [_encode(item, f"{where}.{i}", arrays) for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        return _json(value, where)
    value = value.item() if isinstance(value, np.generic) else value
    return _json(value, where)


def _json(value: Any, where: str) -> Any:
    """Metadata as plain JSON values, or what in it is none."""
    if isinstance(value, Mapping):
        if strange := [key for key in value if not isinstance(key, str)]:
            raise _Malformed(f"{where} has the key {_REPR.repr(strange[0])}; text expected")
        return {key: _json(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_json(item, f"{where}.{i}") for i, item in enumerate(value)]
    if value is not None and not isinstance(value, (str, bool, int, float)):
        raise _Malformed(f"{where} is a {type(value).__name__}; JSON cannot hold it")
    if isinstance(value, float) and not np.isfinite(value):
        raise _Malformed(f"{where} is {value}; a finite number expected")
    return value


def _decode(value: Any, hint: Any, where: str, arrays: Mapping[str, Array], used: set[str] | None = None) -> Any:
    """The value that JSON stands for where a type hint says what is expected.

    Names of the arrays that were looked up are added to ``used``.
    """
    origin, options = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType) and NoneType in options:
        rest = tuple(option for option in options if option is not NoneType)
        return None if value is None else _decode(value, Union[rest], where, arrays, used)  # noqa: UP007  (`|` takes no tuple)
    if is_dataclass(hint) or origin in (Union, UnionType):
        return _decode_object(value, options or (hint,), where, arrays, used)
    if hint == Array:
        name = value.get("array") if isinstance(value, dict) and len(value) == 1 else None
        if not isinstance(name, str) or name not in arrays:
            raise _Malformed(f"the array of {where} is missing", _AGAIN)
        if used is not None:
            used.add(name)
        return arrays[name]
    if origin is tuple and isinstance(value, list):
        hints = [options[0]] * len(value) if options[-1] is Ellipsis else list(options)
        if len(hints) == len(value):
            return tuple(_decode(v, h, f"{where}.{i}", arrays, used) for i, (v, h) in enumerate(zip(value, hints, strict=True)))
    elif origin is Literal:
        if isinstance(value, str) and value in options:
            return value
    elif origin is not None:  # Mapping[str, Any], the metadata
        if isinstance(value, dict):
            return value
    elif type(value) is hint or (hint is float and type(value) is int):  # `type`, as True is an int to isinstance
        return value
    raise _Malformed(f"{where} is {_REPR.repr(value)}, not a valid {getattr(hint, '__name__', hint)}", f"update loihiconv, or {_AGAIN}")


def _decode_object(value: Any, classes: tuple[Any, ...], where: str, arrays: Mapping[str, Array], used: set[str] | None) -> Any:
    kind = value.get("class") if isinstance(value, dict) else None
    cls = next((c for c in classes if c.__name__ == kind), None)
    if cls is None:
        expected = " or ".join(c.__name__ for c in classes)
        raise _Malformed(f"{where} is of an unknown kind {_REPR.repr(kind)}; {expected} expected", "update loihiconv")
    known = {f.name: f for f in fields(cls)}
    if unknown := sorted(value.keys() - known.keys() - {"class"}):
        raise _Malformed(f"{where} has an unknown field {unknown[0]!r}", "update loihiconv")
    for field in known.values():
        if field.name not in value and field.default is MISSING and field.default_factory is MISSING:
            raise _Malformed(f"{where} lacks its field {field.name!r}", _AGAIN)
    hints = get_type_hints(cls)
    given = {key: _decode(value[key], hints[key], f"{where}.{key}", arrays, used) for key in known if key in value}
    try:
        return cls(**given)
    except Exception as error:  # whatever a forged description makes a constructor raise, the file is to blame
        raise _Malformed(f"{where} is inconsistent: {error}") from error


# Bytes <-> values.


def _npy(array: Array) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def _array(data: bytes, name: str) -> Array:
    buffer = io.BytesIO(data)
    try:
        if np.lib.format.read_magic(buffer) != (1, 0):
            raise ValueError("unknown version")
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(buffer)
        if fortran_order or dtype.kind not in "biuf" or any(length < 0 for length in shape):
            raise ValueError("not an array of numbers in C order")
        # By hand, as numpy's reader would allocate whatever the header claims; the copy makes it writable and aligned.
        return np.frombuffer(data, dtype, offset=buffer.tell()).reshape(shape).copy()
    except Exception as error:  # numpy parses the header with Python's own parser, which lets out many kinds
        raise _Malformed(f"its member {name} is not an array: {error}") from error


def _members(data: bytes) -> dict[str, bytes]:
    """All members of the zip, none of them larger than the file."""
    if not data:
        raise _Malformed("the file is empty", _AGAIN)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            names = [info.filename for info in infos]
            if _DESCRIPTION not in names:
                raise _Malformed(f"not a loihiconv network: a zip file without {_DESCRIPTION}")
            if len(set(names)) < len(names):
                raise _Malformed("altered: two members have the same name", _AGAIN)
            if any(i.compress_type != zipfile.ZIP_STORED or i.file_size != i.compress_size for i in infos):
                raise _Malformed("altered: its members are compressed", _AGAIN)
            if sum(i.file_size for i in infos) > len(data):
                raise _Malformed("altered: it claims to hold more than its size", _AGAIN)
            return {info.filename: archive.read(info) for info in infos}
    except _Malformed:
        raise
    except zipfile.BadZipFile as error:
        if data.startswith(b"PK"):
            raise _Malformed("truncated or altered", _AGAIN) from error
        raise _Malformed("not a loihiconv network: not a zip file") from error
    except Exception as error:  # zipfile lets out many kinds on damaged headers: struct.error, RuntimeError, NotImplementedError, ...
        raise _Malformed(f"altered: {error}", _AGAIN) from error


def _description(members: Mapping[str, bytes]) -> Any:
    """The network's JSON; format and version are looked at before all else, which may differ in other versions."""
    text = members[_DESCRIPTION]
    if len(text) > _JSON_LIMIT:
        raise _Malformed(f"{_DESCRIPTION} is larger than {_JSON_LIMIT >> 20} MiB")
    try:
        head = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _Malformed(f"altered: {_DESCRIPTION} is not JSON", _AGAIN) from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise _Malformed(f"not a loihiconv network: {_DESCRIPTION} does not say so")
    version = head.get("version")
    if type(version) is not int or version < 1:
        raise _Malformed(f"its format version is {_REPR.repr(version)}; 1 to {VERSION} expected")
    if version > VERSION:
        raise _Malformed(f"written by a newer loihiconv (format {version}; this one reads up to {VERSION})", "update loihiconv")
    return _upgraded(head.get("network"), version)


def _upgraded(network: Any, version: int) -> Any:
    """The description as today's version has it. Version 1 said "hardware" for the board."""
    if version > 1 or not isinstance(network, dict):
        return network
    renamed = {"board" if name == "hardware" else name: value for name, value in network.items()}
    return renamed | {"origin": _upgraded(network.get("origin"), version)}


def _verify(members: Mapping[str, bytes]) -> None:
    lines = members.get(_CHECKSUMS, b"").decode(errors="replace").splitlines()
    expected = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    for name in sorted((members.keys() | expected.keys()) - {_CHECKSUMS}):
        if name not in members:
            raise _Malformed(f"its member {name} is missing", _AGAIN)
        if hashlib.sha256(members[name]).hexdigest() != expected.get(name):
            raise _Malformed(f"altered: the checksum of its member {name} differs", _AGAIN)


def _write(path: str | os.PathLike[str], members: Mapping[str, bytes]) -> None:
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system, info.external_attr = 3, 0o644 << 16  # else it would say which system wrote it
            archive.writestr(info, data)
