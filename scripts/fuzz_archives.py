"""Damage to archives, the arrays in them and pickles, for `fuzz`."""

from __future__ import annotations

import hashlib
import io
import pickle
import pickletools
import struct
import zipfile
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from fuzz_hdf5 import of_hdf5
from fuzz_mutations import NUMBERS, WORDS, Random, of_bytes, of_json, pick

NAMES = (
    *("x", "../x", "../../../tmp/x", "/etc/passwd", "C:\\x", "..\\x", "", ".", "/", "a/", "data.pkl", "network.json", "a" * 300),
    *("x_test.npy", "x_test", "y.npy", "x_test/a.npy", "a b.npy", "x\ny.npy"),
    *("\u00e4.npy", "\u202egpj.npy", "e\u0301.npy", "\U0001f9e0.npy"),
)
TYPES = (
    *("<f4", "<f8", "<f2", "<f16", "<c8", "|u1", "|b1", "|O", "<U9", "<U999999999", "|V8", "|V0", "<M8[s]", ">i4", "x", "f4," * 999),
    *([("a", "<f4")], [("a", "<f4", (2**31,))], [("a", "<f4")] * 2, [("a", [("b", "|O")])], ("<f4", (9, 9)), None, 1),
)
"""Of arrays."""
LINK = 0o120777 << 16
"""What an archive says of a member that is a link."""
BOMB = 96 * 2**20
"""Bytes that unpack from a thousandth of them."""
_NPY: Any = np.lib.format
_CALLS = (b"cos\nsystem\n", b"cbuiltins\neval\n", b"ctorch\nload\n", b"ctorch._utils\n_rebuild_tensor_v2\n", b"ccollections\nOrderedDict\n")
_FIELDS = ((8, "<H"), (10, "<H"), (16, "<I"), (20, "<I"), (24, "<I"), (28, "<H"), (30, "<H"), (32, "<H"), (38, "<I"), (42, "<I"))
"""Of a directory entry: flags, method, checksum, both sizes, lengths of name, further fields and comment, mode, place."""


@cache
def _zeros() -> bytes:
    return bytes(BOMB)


def of_npy(data: bytes, rng: Random) -> bytes:
    """An array with another header."""
    if not data.startswith(b"\x93NUMPY\x01\x00") or rng.random() < 0.2:
        return of_bytes(data, rng)
    length = struct.unpack("<H", data[8:10])[0]
    shape = tuple(pick(rng, (*NUMBERS[:13], True)) for _ in range(int(rng.integers(5))))
    dtype = pick(rng, TYPES)
    header = repr({"descr": dtype, "fortran_order": bool(rng.integers(2)), "shape": shape}).encode() + b"\n"
    header = of_bytes(header, rng) if rng.random() < 0.2 else header
    if rng.random() < 0.1:
        header = pick(rng, (b"(" * 3000, b"{" * 9000, b"{'descr': '<f4', " * 900, b"-" * 20_000 + b"1", b"[" * 60_000))
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) & 65535) + header + data[10 + length :]


def of_zip(data: bytes, rng: Random) -> bytes:
    """A member of an archive damaged, taken out, renamed, doubled, blown up or a link, with right checksums; or its directory."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return of_bytes(data, rng)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    if not members:
        return of_bytes(data, rng)
    members = _changed(members, rng)
    sums = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {info.filename}\n" for info, content in members if info.filename != "SHA256SUMS"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for info, content in members:
            archive.writestr(info, sums.encode() if info.filename == "SHA256SUMS" else content)
    return _directory(buffer.getvalue(), rng) if rng.random() < 0.15 else buffer.getvalue()


def _changed(members: list[tuple[zipfile.ZipInfo, bytes]], rng: Random) -> list[tuple[zipfile.ZipInfo, bytes]]:
    at = int(rng.integers(len(members)))
    name, content = members[at][0].filename, members[at][1]
    put = [(_info(name, members[at][0].compress_type), content)]
    match int(rng.integers(12)):
        case 0:
            put = []
        case 1:
            put[0][0].filename = pick(rng, NAMES)
        case 2:
            put += [pick(rng, members)]
        case 3:
            put[0][0].compress_type = pick(rng, (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
        case 4:
            put[0][0].external_attr = LINK
            put = [(put[0][0], pick(rng, (b"/etc/passwd", b"../../x", name.encode(), b"/dev/zero")))]
        case 5 if rng.random() < 0.3:  # each costs a second
            put = [(_info(name, zipfile.ZIP_DEFLATED), content[:128] + _zeros())]
        case 6:
            put += [(_info(pick(rng, NAMES)), pick(rng, (b"", content))) for _ in range(int(rng.integers(1, 4)))]
        case _:
            put = [(put[0][0], _by_name(name)(content, rng))]
    return [*members[:at], *put, *members[at + 1 :]]


def _info(name: str, kind: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.compress_type = kind
    return info


def _directory(data: bytes, rng: Random) -> bytes:
    """An archive cut off in its directory, with something before or behind it, or with one field of an entry that is not so."""
    changed, entries, at = bytearray(data), list[int](), data.find(b"PK\x01\x02")
    while at >= 0:
        entries.append(at)
        at = data.find(b"PK\x01\x02", at + 4)
    match int(rng.integers(6)):
        case 0:
            return data[: pick(rng, entries) + int(rng.integers(46))]
        case 1:
            return rng.bytes(int(rng.integers(1, 999))) + data
        case 2:
            changed += pick(rng, (b"\n", bytes(70_000), data))
        case 3 if len(entries) > 1:  # members that are each other's bytes
            first, second = entries[:2]
            changed[first + 42 : first + 46] = data[second + 42 : second + 46]
        case _:
            place, kind = pick(rng, _FIELDS)
            number = int(pick(rng, (*NUMBERS[:13], 99, 8, 12, 14))) & (256 ** struct.calcsize(kind) - 1)
            at = pick(rng, entries) + place
            changed[at : at + struct.calcsize(kind)] = struct.pack(kind, number)
    return bytes(changed)


def _by_name(name: str) -> Callable[[bytes, Random], bytes]:
    by_ending = {"json": of_json, "npy": of_npy, "h5": of_hdf5, "pkl": of_pickle}
    return by_ending.get(name.rpartition(".")[2], of_bytes)


def of_pickle(data: bytes, rng: Random) -> bytes:
    """Steps of pickles, one after the other in a file, taken out, doubled, exchanged, or put in: calls of what nobody asked for."""
    steps = _steps(data)
    if len(steps) < 2:
        return of_bytes(data, rng)
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(len(steps)))
        match int(rng.integers(7)):
            case 0:
                del steps[at]
                if not steps:
                    return b"."
            case 1:
                steps.insert(at, pick(rng, steps))
            case 2:
                other = int(rng.integers(len(steps)))
                steps[at], steps[other] = steps[other], steps[at]
            case 3:
                steps[at:at] = [pick(rng, _CALLS), b"(", pickle.dumps("false", 2)[2:-1], b"t", b"R"]
            case 4:
                steps[at] = pickle.dumps(pick(rng, (*NUMBERS, *WORDS, 10**3000, None, (), [], {}, float("nan"))), 2)[2:-1]
            case 5:
                steps[at] = pick(rng, (*_CALLS, b"(" * 3000, b"]" * 3000 + b"a" * 2999, b"Q", b"0", b"b", b"\x81"))
            case _:
                steps[at] = of_bytes(steps[at], rng)
    return b"".join(steps)


def _steps(data: bytes) -> list[bytes]:
    """What a file of pickles consists of, the rest of it last."""
    file, places = io.BytesIO(data), list[int]()
    try:
        while file.tell() < len(data):
            start = file.tell()
            places += [place for _, _, place in pickletools.genops(file) if place is not None and place >= start]
    except Exception:  # what follows is none
        places.append(file.tell())
    cuts = sorted({0, *places, len(data)})
    return [data[a:b] for a, b in pairwise(cuts)]


def of_checkpoint(data: bytes, rng: Random) -> bytes:
    """What ``torch.save`` wrote, an archive or pickles one after the other."""
    return of_zip(data, rng) if zipfile.is_zipfile(io.BytesIO(data)) else of_pickle(data, rng)
