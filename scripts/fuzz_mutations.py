"""Small and large damage to files, for `fuzz`: bytes, texts, JSON and what has a header of it.

Archives and pickles are in `fuzz_archives`, HDF5 files in `fuzz_hdf5`, ONNX in `fuzz_onnx`, pictures in `fuzz_images`.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

Random: TypeAlias = np.random.Generator
NUMBERS = (0, 1, -1, 2, 255, 256, 2**15, 2**31 - 1, 2**31, -(2**31), 2**53, 2**63 - 1, 2**64, 10**30, 0.5, -0.0, 1e308, 5e-324)
WORDS = (
    *("", " ", "\n", "\x00", "\x85", "ä" * 9, "a" * 5000, "9" * 5000, "1:" * 500 + "1", "../../../etc/passwd", "/dev/zero", "nan", ".inf"),
    *("-1", "1e999", "0x1F", "true", "null", "~", "__import__('os').system('false')", "!!python/object/apply:os.system ['false']"),
    *("!!bool x", "!!timestamp x", "&a [*a]", "<<: *a", "[" * 3000, "{a: " * 300, "- " * 300, "? [a]\n: b", "2020-99-99", "%n%s", "{0.x}"),
    *(
        "/etc/passwd",
        "C:\\x",
        "x" * 300,
        "a/b",
        "\u202eexe.\u0000",
        "\U0001f9e0",
        "e\u0301",
        "\ufeff",
        "\u2028",
        "inf",
        "-inf",
        "NaN",
        "\x1b[2J",
        "]]>",
    ),
)
RAW = (
    *("[" * 400 + "]" * 400, "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000, "9" * 5000, "-" + "9" * 5000),
    *("1e400", "-1e400", "1e-400", "NaN", "Infinity", "0.1e99999999", '"\\ud800"', '"\\u0000"', "01", "'a'", "", "[,]", "[1,]", "1 1"),
    "[" + "{}," * 20_000 + "{}]",
)
"""JSON that Python's writer does not write, and what is none."""
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]\n" for i in range(9))
"""References to references."""
_PLACE = "the place of raw text"


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
    """Words of a text exchanged for others, lines doubled, moved or taken out; or all of it written differently or longer."""
    if rng.random() < 0.1:
        return _as_a_whole(data.decode(errors="replace"), rng)
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
    return "\n".join(lines).encode(errors="replace")


def _as_a_whole(text: str, rng: Random) -> bytes:
    match int(rng.integers(8)):
        case 0:
            return text.encode("utf-16")
        case 1:
            return text.encode("utf-8-sig")
        case 2:
            return text.replace("\n", pick(rng, ("\r", "\r\n", "\u2028", "\t\n"))).encode()
        case 3:
            return (text + BOMB).encode()
        case 4:
            return (f"{text}\n---\n{text}").encode()
        case 5:
            return text.encode() + b"# " + b"x" * 2**21
        case 6:
            return (text + "".join(f"n{i}: {i}\n" for i in range(20_000))).encode()
        case _:
            return (f"{text}deep: {'[' * (depth := pick(rng, (40, 3000, 50_000)))}{']' * depth}\n").encode()


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
    if rng.random() < 0.2 and (places := list(_places(content))):
        holder, key = pick(rng, places)
        twice = json.dumps(key) if isinstance(key, str) else None
        old, holder[key] = json.dumps(holder[key]), _PLACE
        raw = f"{old}, {twice}: {old}" if twice and rng.random() < 0.4 else pick(rng, RAW)
        return json.dumps(content).replace(json.dumps(_PLACE), raw).encode()
    text = json.dumps(content)
    return text.encode(pick(rng, ("utf-8-sig", "utf-16"))) if rng.random() < 0.02 else text.encode()


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    for key, item in list(content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()):
        yield content, key
        yield from _places(item)


def of_safetensors(data: bytes, rng: Random) -> bytes:
    """Another header, or other JSON in its metadata; another length of it, or tensors that lie over each other or beyond the end."""
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
    elif rng.random() < 0.3:
        tensor = header[pick(rng, [name for name in header if name != "__metadata__"] or [*header])]
        tensor[pick(rng, ("dtype", "shape", "data_offsets"))] = pick(
            rng, ("F8_E5M2", "I64", "BOOL", [2**40, 2**40], [0], [-1, -1], [0, 2**62], [8, 0], [0, 4], [1e9, 2e9], [[0, 4]], [True, 4])
        )
        text = json.dumps(header).encode()
    else:
        text = of_json(json.dumps(header).encode(), rng)
    said = len(text) if rng.random() < 0.95 else int(pick(rng, (0, 1, 2**31, 2**63, 2**64 - 1)))
    return struct.pack("<Q", said) + text + data[8 + length :]
