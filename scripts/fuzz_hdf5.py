"""Damage to HDF5 files, for `fuzz`."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from fuzz_mutations import NUMBERS, WORDS, Random, of_json, pick

BIG = 2**26
"""Bytes that lie compressed in a file."""


def of_hdf5(data: bytes, rng: Random) -> bytes:
    """Members and attributes of an HDF5 file exchanged, taken out, blown up, linked to somewhere else or to what they are in."""
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
    if rng.random() < 0.5:
        _of_a_kind(file, name, rng)
        return
    match int(rng.integers(8)):
        case 0:
            return
        case 1:
            file[name] = h5py.SoftLink(pick(rng, ("/", "/nowhere", name)))
        case 2:
            file[name] = h5py.ExternalLink(pick(rng, ("/etc/passwd", "other.h5")), "/")
        case 3:
            file[name] = file[name.rpartition("/")[0] or "/"]  # within itself
        case 4:
            file.create_group(name + "/d" * pick(rng, (0, 40, 900)))
        case 5 if isinstance(old, np.ndarray) and old.dtype.kind in "fiu":
            file[name] = old.reshape(-1)[: int(rng.integers(old.size + 1))]
        case 6 if isinstance(old, np.ndarray) and old.ndim:
            file[name] = np.repeat(old[:1], 3, axis=0)
        case _:
            number = pick(rng, NUMBERS)
            file[name] = number if abs(number) < 2**63 else pick(rng, (np.nan, np.inf, np.zeros(0), np.zeros((1, 1, 1, 1, 1, 1))))


def _of_a_kind(file: Any, name: str, rng: Random) -> None:
    """A member that holds what hardly belongs there, is somewhere else, or far larger than the file."""
    import h5py

    match int(rng.integers(7)):
        case 0:
            file.create_dataset(name, (2**20, 2**13), np.float32, chunks=(1, 2**13))
        case 1:
            file.create_dataset(name, (BIG,), np.uint8, chunks=(BIG,), compression="gzip", fillvalue=0)[0] = 1
        case 2:
            file.create_dataset(name, (99,), np.uint8, external=[("/etc/passwd", 0, 99)])
        case 3:
            layout = h5py.VirtualLayout((9,), np.float32)
            layout[:] = h5py.VirtualSource(pick(rng, (".", "/etc/passwd", "other.h5")), "a", (9,))
            file.create_virtual_dataset(name, layout)
        case 4:
            file[name] = h5py.Empty(pick(rng, ("f4", "S9")))
        case 5:
            file[name] = pick(rng, [word for word in WORDS if "\x00" not in word])
        case _:
            kinds = [h5py.ref_dtype, h5py.vlen_dtype(np.int32), h5py.string_dtype(), h5py.enum_dtype({"a": 1}), [("a", "f4")]]
            kind = pick(rng, [*map(np.dtype, kinds), *map(np.dtype, ("c8", "V9", "S9", "?"))])
            file.create_dataset(name, pick(rng, ((), (0,), (3,))), kind)
