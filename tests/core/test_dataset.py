"""Samples from files, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loihiconv.core.dataset import holds, read, read_npz
from loihiconv.core.errors import InvalidData


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.npz"


def test_parts_are_told_apart(path: Path) -> None:
    np.savez(path, x_train=np.zeros((3, 2)), y_train=np.arange(3)[:, None], x_test=np.ones((1, 2)))
    assert (holds(path, "train"), holds(path, "test")) == (True, True)
    train, test = read_npz(path, "train"), read_npz(path, "test")
    assert (train.x.shape, test.x.tolist(), test.y) == ((3, 2), [[1, 1]], None)
    assert train.y is not None
    assert train.y.tolist() == [0, 1, 2]
    np.savez(path, x=np.ones((1, 2)), y=[4])
    assert not holds(path, "train")
    plain = read_npz(path, "train").y
    assert plain is not None
    assert plain.tolist() == [4]


def test_what_cannot_be_read_is_said(path: Path) -> None:
    with pytest.raises(InvalidData, match="no such file"):
        read_npz(path, "train")
    np.savez(path, y=[1])
    with pytest.raises(InvalidData, match=r"has no x_train; arrays x_train and y_train or x and y expected; it has y$"):
        read_npz(path, "train")
    np.savez(path, x=np.zeros((2, 1)), y=[1])
    with pytest.raises(InvalidData, match="2 samples in x, 1 labels in y"):
        read_npz(path, "train")
    np.savez(path, x=np.array([{}], object))
    with pytest.raises(InvalidData, match=r"is not a readable \.npz file of plain arrays \(x holds objects.*astype\(str\)"):
        read_npz(path, "train")
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(InvalidData, match="a single array"):
        read_npz(path, "train")


def test_arrays_with_names_of_others_are_said(path: Path) -> None:
    np.savez(path, train_images=np.zeros((3, 2)), train_labels=np.arange(3)[:, None], test_images=np.ones((1, 2)))
    data, said = read(path, "train")
    assert (data.x.shape, list(data.y if data.y is not None else ())) == ((3, 2), [0, 1, 2])
    assert said == (f"{path}: train_images are its train samples, train_labels their labels",)
    assert read(path, "test")[1] == (f"{path}: test_images are its test samples",)
    np.savez(path, x=np.ones((1, 2)), y=[4])
    assert read(path, "test")[1] == ()


def test_functions_are_called_for_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
import numpy as np
X, Y = np.arange(6.0).reshape(3, 2), [0, 1, 2]
def by_part(part): return (X, Y) if part == "test" else X[:1]
def whatever(): yield from zip(X, Y)
def exits(): raise SystemExit(0)
def fails():
    yield X
    raise ValueError("no more")
pair = (X, Y)
"""
    (tmp_path / "data_of_test.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    assert len(read("data_of_test:by_part", "train")[0].x) == 1
    for name in ("by_part", "whatever", "pair"):
        data, (note,) = read(f"data_of_test:{name}", "test", samples=2)
        assert data.y is not None
        assert (data.x.shape, data.y.tolist(), "its code was executed" in note) == ((2, 2), [0, 1], True)
    for name, said in (("exits", "ends the program"), ("fails", "ValueError: no more")):
        with pytest.raises(InvalidData, match=said):
            read(f"data_of_test:{name}", "test")
    assert holds("data_of_test:pair", "train")


def test_folders(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    (tmp_path / "train" / "a").mkdir(parents=True)
    image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / "train" / "a" / "0.png")
    assert (holds(tmp_path, "train"), holds(tmp_path, "test")) == (True, False)
    assert read(tmp_path, "train")[0].x.shape == (1, 4, 5)


def test_functions_give_several_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "several_inputs.py").write_text("""
import numpy as np
A, B, Y = np.ones((6, 4), np.uint8), np.zeros((6, 3)), np.arange(6) % 2
def named(part): return {"image": A, "vector": B}, Y
def alone(part): return {"image": A, "vector": B}
def in_order(part): return (A, B), Y
def batches(part): return [({"image": A[:3], "vector": B[:3]}, Y[:3]), ({"image": A[3:], "vector": B[3:]}, Y[3:])]
def uneven(part): return {"image": A, "vector": B[:5]}
def labels(part): return {"image": A, "vector": B}, Y[:5]
def one(part): return {"x": A, "y": Y}
def pixels(part): return np.ones((6, 1, 2, 2)), np.zeros((6, 2, 2))
""")
    monkeypatch.syspath_prepend(str(tmp_path))
    shapes = {"image": (4,), "vector": (3,)}
    for name, known in (("named", None), ("named", shapes), ("in_order", shapes), ("batches", shapes)):
        data, _ = read(f"several_inputs:{name}", "train", samples=5, shape=known)
        assert {key: values.shape for key, values in data.x.items()} == {"image": (5, 4), "vector": (5, 3)}
        assert data.y is not None
        assert data.y.tolist() == [0, 1, 0, 1, 0]
    found = read("several_inputs:alone", "test")[0]
    assert (found.y, found.x["image"].dtype) == (None, np.uint8)
    assert read("several_inputs:one", "test")[0].x.shape == (6, 4)
    labelled = read("several_inputs:pixels", "test")[0]
    assert labelled.y is not None
    assert (labelled.x.shape, labelled.y.shape) == ((6, 1, 2, 2), (6, 2, 2))
    for name, message in (
        ("uneven", "6 samples in image, 5 in vector"),
        ("labels", "6 samples in image, 5 labels"),
        ("batches", "several inputs, whose names.*give the arrays as a whole"),
        ("in_order", "several inputs, whose names.*give the arrays as a whole"),
    ):
        with pytest.raises(InvalidData, match=message):
            read(f"several_inputs:{name}", "train")
    np.savez(tmp_path / "a.npz", **{"x/a": np.ones((3, 2)), "x/b": np.ones((4, 2))})
    with pytest.raises(InvalidData, match="3 samples in x/a, 4 in x/b"):
        read_npz(tmp_path / "a.npz", "train")
