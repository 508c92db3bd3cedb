from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from loihiconv.core.npz import NoArrays, opened


def member(shape: object, descr: str = "<f4", values: bytes = bytes(16), version: int = 1) -> bytes:
    """An array's bytes with any header."""
    header = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY" + struct.pack("<BBH", version, 0, len(header)) + header + values


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_of_every_kind(tmp_path: Path, save: object) -> None:
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b/c": np.zeros((0, 5), np.int8), "d": np.array(3), "f": np.asfortranarray(np.eye(3)[:2])}
    save(tmp_path / "a.npz", **arrays)
    with opened(tmp_path / "a.npz") as file:
        assert file.names == tuple(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(file[name], array, strict=True)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (member((1000, 1000, 1000, 1000)), "a declares float32 of shape .*, but holds"),
        (member((-1, -4)), r"of shape \(-1, -4\)"),
        (member((True, 4)), r"of shape \(True, 4\)"),
        (member((2**62, 2**62)), "but holds"),
        (member((1,), "|O"), "a holds objects"),
        (member((4,), version=3), "version"),
        (member((5,)), "but holds|array"),
        (b"\x93NUMPY\x01\x00" + struct.pack("<H", 60000) + b"(" * 60000, "large"),
        (b"no array", "magic"),
    ],
)
def test_members_that_are_no_arrays(tmp_path: Path, data: bytes, said: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", data)
    with pytest.raises(NoArrays, match=said) as caught, opened(tmp_path / "a.npz") as file:
        file["a"]
    assert "\n" not in str(caught.value)


def test_a_member_that_claims_more_than_deflate_can_do(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.arange(9))
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 2**31)
    path.write_bytes(data)
    with pytest.raises(NoArrays, match=r"a claims .* are stored"), opened(path) as file:
        file["a"]


def test_files_that_are_none(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    (tmp_path / "text").write_text("text")
    with zipfile.ZipFile(tmp_path / "twice.npz", "w") as archive:
        archive.writestr("a.npy", member((4,)))
        archive.writestr("a", b"")
    for name, said in (("a.npy", "a single array"), ("text", "not a zip file"), ("twice.npz", "same name"), ("none", "No such file")):
        with pytest.raises(NoArrays, match=said), opened(tmp_path / name):
            pass
