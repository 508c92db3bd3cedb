"""Small and large damage to files, for `fuzz`: bytes, texts, and what archives, HDF5 files and protocol buffers hold."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

Random: TypeAlias = np.random.Generator
NUMBERS = (0, 1, -1, 2, 255, 256, 2**15, 2**31 - 1, 2**31, -(2**31), 2**53, 2**63 - 1, 2**64, 10**30, 0.5, -0.0, 1e308, 5e-324)
WORDS = (
    *("", " ", "\n", "\x00", "\x85", "ä" * 9, "a" * 5000, "9" * 5000, "1:" * 500 + "1", "../../../etc/passwd", "/dev/zero", "nan", ".inf"),
    *("-1", "1e999", "0x1F", "true", "null", "~", "__import__('os').system('false')", "!!python/object/apply:os.system ['false']"),
    *("!!bool x", "!!timestamp x", "&a [*a]", "<<: *a", "[" * 3000, "{a: " * 300, "- " * 300, "? [a]\n: b", "2020-99-99", "%n%s", "{0.x}"),
)
_NPY: Any = np.lib.format


def pick(rng: Random, choices: Any) -> Any:
    """One of several."""
    return choices[int(rng.integers(len(choices)))]


def value(rng: Random) -> Any:
    """A JSON value that hardly belongs there."""
    simple = [None, True, pick(rng, NUMBERS), pick(rng, WORDS), [], {}, float("nan"), float("-inf")]
    return pick(rng, [*simple, [pick(rng, simple)], {pick(rng, WORDS): pick(rng, simple)}, [[[[1]]]] * 3])


def of_bytes(data: bytes, rng: Random) -> bytes:
    """A few bytes changed, put in, taken out, doubled, or the end cut off."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        at, length = int(rng.integers(len(changed) + 1)), int(2 ** rng.integers(0, 9))
        part = slice(at, at + length)
        match int(rng.integers(6)):
            case 0:
                changed[at : at + 1] = rng.bytes(1)
            case 1:
                changed[at:at] = rng.bytes(min(length, 32))
            case 2:
                del changed[part]
            case 3:
                changed[at:at] = changed[part]
            case 4:
                changed[part] = pick(rng, (b"\x00", b"\xff", b"\x7f")) * len(changed[part])
            case _:
                number = int(pick(rng, NUMBERS[:13])) & (2**64 - 1)
                kind = pick(rng, ("<H", "<I", "<Q", ">I"))
                changed[at : at + struct.calcsize(kind)] = struct.pack(kind, number & (256 ** struct.calcsize(kind) - 1))
    return bytes(changed[: int(rng.integers(len(changed) + 1))] if rng.random() < 0.1 else changed)


def of_text(data: bytes, rng: Random) -> bytes:
    """Words of a text exchanged for others, lines doubled, moved or taken out."""
    lines = data.decode(errors="replace").split("\n")
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(len(lines)))
        match int(rng.integers(4)):
            case 0:
                lines.insert(int(rng.integers(len(lines))), lines[at])
            case 1:
                lines[at] = lines[at].partition(":")[0] + ": " + pick(rng, WORDS)
            case 2:
                lines[at] = " " * int(rng.integers(4)) + pick(rng, WORDS) + ": " + lines[at].strip()
            case _:
                words = lines[at].split(" ")
                words[int(rng.integers(len(words)))] = str(pick(rng, (*WORDS, *NUMBERS)))
                lines[at] = " ".join(words)
    return "\n".join(lines).encode()


def of_json(data: bytes, rng: Random) -> bytes:
    """Values within JSON exchanged, taken out, doubled, nested deeper, or under another name."""
    try:
        content = json.loads(data)
    except ValueError:
        return of_bytes(data, rng)
    for _ in range(int(rng.integers(1, 4))):
        places = list(_places(content))
        if not places:
            break
        holder, key = pick(rng, places)
        match int(rng.integers(5)):
            case 0 | 1:
                holder[key] = value(rng)
            case 2:
                del holder[key]
            case 3:
                holder[key] = [holder[key]] * 2
            case _:
                holder[key] = json.loads(json.dumps(pick(rng, places)[0]))
    text = json.dumps(content)
    if rng.random() < 0.1:
        at = text.find("{") + 1
        text = f'{text[:at]}"format": 1, "format": 2, {text[at:]}'
    return text.encode()


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    for key, item in list(content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()):
        yield content, key
        yield from _places(item)


def of_safetensors(data: bytes, rng: Random) -> bytes:
    """Another header, or other JSON in its metadata."""
    length = struct.unpack("<Q", data[:8])[0]
    try:
        header = json.loads(data[8 : 8 + length])
    except ValueError:
        return of_bytes(data, rng)
    metadata = header.get("__metadata__", {})
    if metadata and rng.random() < 0.6:
        key = pick(rng, list(metadata))
        metadata[key] = of_json(str(metadata[key]).encode(), rng).decode(errors="replace")
        text = json.dumps(header).encode()
    else:
        text = of_json(json.dumps(header).encode(), rng)
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def of_npy(data: bytes, rng: Random) -> bytes:
    """An array with another header."""
    if not data.startswith(b"\x93NUMPY\x01\x00") or rng.random() < 0.2:
        return of_bytes(data, rng)
    length = struct.unpack("<H", data[8:10])[0]
    shape = tuple(pick(rng, (*NUMBERS[:13], True)) for _ in range(int(rng.integers(5))))
    dtype = pick(rng, ("<f4", "<f8", "|u1", "|O", "<U9", "|V8", "<M8[s]", ">i4", [("a", "<f4")], "x"))
    header = repr({"descr": dtype, "fortran_order": bool(rng.integers(2)), "shape": shape}).encode() + b"\n"
    header = of_bytes(header, rng) if rng.random() < 0.2 else header
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) & 65535) + header + data[10 + length :]


def of_zip(data: bytes, rng: Random) -> bytes:
    """A member of an archive damaged, taken out, renamed or doubled, with all checksums as they have to be."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return of_bytes(data, rng)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info.filename, info.compress_type, archive.read(info)) for info in archive.infolist()]
    at = int(rng.integers(len(members)))
    name, kind, content = members[at]
    match int(rng.integers(8)):
        case 0:
            del members[at]
        case 1:
            members[at] = (pick(rng, ("x", "../x", "", "data.pkl", "network.json", "a" * 300)), kind, content)
        case 2:
            members.append(pick(rng, members))
        case 3:
            members[at] = (name, zipfile.ZIP_DEFLATED, content)
        case _:
            members[at] = (name, kind, _by_name(name)(content, rng))
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, _, content in members if name != "SHA256SUMS")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, kind, content in members:
            archive.writestr(zipfile.ZipInfo(name), sums.encode() if name == "SHA256SUMS" else content, kind)
    return buffer.getvalue()


def _by_name(name: str) -> Callable[[bytes, Random], bytes]:
    by_ending = {"json": of_json, "npy": of_npy, "h5": of_hdf5}
    return by_ending.get(name.rpartition(".")[2], of_bytes)


def of_hdf5(data: bytes, rng: Random) -> bytes:
    """Members and attributes of an HDF5 file exchanged, taken out, or linked to somewhere else."""
    import h5py

    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        for _ in range(int(rng.integers(1, 4))):
            name = pick(rng, names)
            if name not in file:
                continue
            attributes = dict(file[name].attrs) if rng.random() < 0.3 else {}
            if rng.random() < 0.3 and len(file.attrs):
                _attribute(file.attrs, pick(rng, list(file.attrs)), rng)
            elif attributes:
                _attribute(file[name].attrs, pick(rng, list(attributes)), rng)
            else:
                _member(file, name, rng)
    return buffer.getvalue()


def _attribute(attributes: Any, key: str, rng: Random) -> None:
    old = attributes[key]
    text = old.encode() if isinstance(old, str) else old
    if isinstance(text, bytes) and rng.random() < 0.8:
        attributes[key] = of_json(text, rng)
    elif rng.random() < 0.5:
        del attributes[key]
    else:
        attributes[key] = pick(rng, (0, -1, "x", np.zeros(3), np.array([b"a", b"b"])))


def _member(file: Any, name: str, rng: Random) -> None:
    import h5py

    old = file[name][()] if isinstance(file[name], h5py.Dataset) else None
    del file[name]
    match int(rng.integers(10)):
        case 0:
            return
        case 1:
            file[name] = h5py.SoftLink(pick(rng, ("/", "/nowhere", name)))
        case 2:
            file[name] = h5py.ExternalLink(pick(rng, ("/etc/passwd", "other.h5")), "/")
        case 3:
            file.create_dataset(name, (2**20, 2**13), np.float32, chunks=(1, 2**13))
        case 4:
            file.create_group(name)
        case 5:
            file[name] = pick(rng, [word for word in WORDS if "\x00" not in word])
        case 6 if isinstance(old, np.ndarray) and old.dtype.kind in "fiu":
            file[name] = old.reshape(-1)[: int(rng.integers(old.size + 1))]
        case 7 if isinstance(old, np.ndarray) and old.ndim:
            file[name] = np.repeat(old[:1], 3, axis=0)
        case _:
            number = pick(rng, NUMBERS)
            file[name] = number if abs(number) < 2**63 else pick(rng, (np.nan, np.inf, np.zeros(0), np.zeros((1, 1, 1, 1, 1, 1))))


def of_onnx(data: bytes, rng: Random) -> bytes:
    """Fields within an ONNX model exchanged, taken out or doubled."""
    import onnx

    model = onnx.ModelProto.FromString(data)
    for _ in range(int(rng.integers(1, 4))):
        messages = list(_messages(model))
        message = pick(rng, messages)
        fields = [field for field, _ in message.ListFields()]
        if not fields:
            continue
        field = pick(rng, fields)
        if rng.random() < 0.2:
            message.ClearField(field.name)
            continue
        try:
            _set(message, field, rng)
        except (ValueError, TypeError):  # a number that the field does not hold
            message.ClearField(field.name)
    return bytes(model.SerializeToString())


def _messages(message: Any) -> Iterator[Any]:
    yield message
    for field, content in message.ListFields():
        if field.message_type is not None:
            for inner in content if hasattr(content, "extend") else (content,):
                yield from _messages(inner)


def _set(message: Any, field: Any, rng: Random) -> None:
    content = getattr(message, field.name)
    if hasattr(content, "extend"):
        if field.message_type is not None:
            content.extend([pick(rng, content)])
        elif len(content):
            content[int(rng.integers(len(content)))] = _scalar(content[0], rng)
    elif field.message_type is None:
        setattr(message, field.name, _scalar(content, rng))


def _scalar(old: Any, rng: Random) -> Any:
    if isinstance(old, bytes):
        return of_bytes(old, rng)
    return pick(rng, (*WORDS, "Relu", "Conv", "x")) if isinstance(old, str) else type(old)(pick(rng, NUMBERS[:12]))
