"""Folders of images by class: pixels, numbers and names of classes, and what is wrong with a folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from loihiconv.core.errors import InvalidData
from loihiconv.core.image_folder import part_of, read

Image = pytest.importorskip("PIL.Image")
GREY = np.random.default_rng(0).integers(0, 256, (6, 4, 5)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part, first in (("train", 0), ("test", 3)):
        for k in range(first, first + 3):
            place = tmp_path / part / ("cat" if k in (0, 1, 3) else "dog")
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(GREY[k]).save(place / f"{k}.png")
    return tmp_path


def test_classes_take_turns(folder: Path) -> None:
    data, (note,) = read(folder, "train")
    assert data.y is not None
    assert (data.x == GREY[[0, 2, 1]]).all()
    assert data.y.tolist() == [0, 1, 0]
    assert note.endswith("3 images of 5 x 4 pixels, grey, 2 classes: 0 cat, 1 dog")
    assert len(read(folder, "test", samples=2)[0].x) == 2
    assert part_of(folder / "train", "train") is None
    assert read(folder / "train", "train")[0].x.shape == (3, 4, 5)


def test_colours(folder: Path) -> None:
    Image.fromarray(GREY[0]).convert("P").save(folder / "train" / "dog" / "9.gif")
    assert read(folder, "train")[0].x.shape == (4, 4, 5, 3)
    assert read(folder, "train", shape=(1, 4, 5))[0].x.shape == (4, 4, 5)
    assert read(folder, "test", shape=(3, 4, 5))[0].x.shape == (3, 4, 5, 3)
    flat, _ = read(folder / "train" / "cat", "train")
    assert (flat.y, flat.x.shape) == (None, (2, 4, 5))


def test_what_is_wrong(folder: Path) -> None:
    wide = folder / "train" / "dog" / "a.png"
    Image.fromarray(GREY[0].T.copy()).save(wide)
    with pytest.raises(InvalidData, match=r"a\.png: 4 x 5 pixels; 5 x 4, as .* has"):
        read(folder, "train")
    wide.write_bytes(b"no image")
    with pytest.raises(InvalidData, match="cannot be read as an image"):
        read(folder, "train")
    Image.fromarray(np.zeros((4, 5), np.uint16)).save(wide)
    with pytest.raises(InvalidData, match="8 bits per channel"):
        read(folder, "train")
    wide.write_bytes((folder / "train" / "cat" / "0.png").read_bytes()[:60])
    with pytest.raises(InvalidData, match="cannot be read as an image"):
        read(folder, "train")
    shutil.rmtree(folder / "test" / "cat")
    with pytest.raises(InvalidData, match=r"other classes than .*: cat; the same expected"):
        read(folder, "train")
    shutil.rmtree(folder / "test")
    shutil.rmtree(folder / "train")
    with pytest.raises(InvalidData, match="holds no images"):
        read(folder, "train")
