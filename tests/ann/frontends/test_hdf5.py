"""HDF5 files of others: values, and everything that a hostile or damaged one can do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loihiconv.ann.frontends import hdf5
from loihiconv.ann.frontends.hdf5 import holds, is_hdf5, read_tree
from loihiconv.core.errors import InvalidModel

h5py: Any = pytest.importorskip("h5py", reason="h5py is not installed")


def write(path: Path, fill: Any) -> Path:
    with h5py.File(path, "w") as file:
        fill(file)
    return path


def test_values_and_texts(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        file["a/b"] = np.arange(6, dtype=np.int16).reshape(2, 3)
        file["a/c"] = 1.5
        file["t"] = "text"
        file["pairs"] = [["x", "y"], ["ä", "z"]]
        file.create_dataset("bytes", (1,), "S10", [b"conv"])
        file.create_dataset("packed", data=np.zeros(1000), compression="gzip")

    tree = read_tree(write(tmp_path / "x.h5", fill))
    assert tree["a"]["b"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert float(tree["a"]["c"]) == 1.5
    assert (tree["t"], tree["pairs"], tree["bytes"]) == ("text", [["x", "y"], ["ä", "z"]], ["conv"])
    assert tree["packed"].shape == (1000,)


def linked(kind: str) -> Any:
    def fill(file: Any) -> None:
        file["here"] = 1
        file["link"] = h5py.SoftLink("/here") if kind == "soft" else h5py.ExternalLink("/etc/passwd", "/")

    return fill


def circle(file: Any) -> None:
    file.create_group("a")["again"] = file["/"]


def elsewhere(file: Any) -> None:
    file.create_dataset("x", (4,), "u1", external=[("/etc/hostname", 0, 4)])


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (4,))
    file.create_virtual_dataset("x", layout)


def claims(file: Any) -> None:
    file.create_dataset("x", (2**20, 2**20), "f8", compression="gzip", chunks=(2**10, 2**10))


def packed(file: Any) -> None:
    for name in "xy":
        file.create_dataset(name, data=np.zeros(2**24 - 9, np.uint8), compression="gzip", chunks=(2**22,))


def record(file: Any) -> None:
    file["x"] = np.zeros(2, [("a", "f8"), ("b", "i4")])


@pytest.mark.parametrize(
    ("fill", "said"),
    [
        (linked("soft"), "link is a link to somewhere else"),
        (linked("external"), "link is a link to somewhere else"),
        (circle, "groups are nested deeper than 32"),
        (elsewhere, "x has its values in another file"),
        (packed, "y with it a file of "),
        (virtual, "x has its values in another file"),
        (claims, "x claims float64 of shape (1048576, 1048576)"),
        (record, "numbers or texts expected"),
    ],
)
def test_what_leads_out_of_the_file_or_claims_too_much(fill: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidModel) as caught:
        read_tree(write(tmp_path / "x.h5", fill))
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "x.h5"))


def test_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5, "MOST", 5)
    path = write(tmp_path / "x.h5", lambda file: [file.create_group(f"g{i}") for i in range(9)])
    with pytest.raises(InvalidModel, match="holds more than 5 members"):
        read_tree(path)


@given(where=st.integers(0, 3000), byte=st.integers(0, 255), cut=st.integers(0, 3000) | st.none())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_one_line(where: int, byte: int, cut: int | None, tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        file["layer/0/type"] = "dense"
        file.create_dataset("layer/0/weight", data=np.arange(64.0), compression="gzip")

    path = write(tmp_path / "x.h5", fill)
    data = bytearray(path.read_bytes())
    data[where % len(data)] = byte
    path.write_bytes(bytes(data[: cut if cut is not None else len(data)]))
    try:
        read_tree(path)
    except InvalidModel as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no.h5").write_bytes(b"PK\x03\x04")
    for path, said in (("no.h5", "is no HDF5 file"), ("missing.h5", "no such file"), ("a\0b", "no such file"), (".", "no such file")):
        with pytest.raises(InvalidModel, match=said):
            read_tree(tmp_path / path)
        assert not is_hdf5(tmp_path / path)
        assert not holds(tmp_path / path, "x", ".h5")
    path = write(tmp_path / "x.net", linked("soft"))
    assert holds(path, "here", ".nir")
    assert not holds(path, "there", ".net")
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert holds(path, "there", ".net")
    with pytest.raises(InvalidModel, match=r'h5py is needed for this file; pip install "loihiconv\[nir\]"'):
        read_tree(path)
