"""Folders of images, one folder for each class, as torchvision's ``ImageFolder`` has them; Pillow reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any, Literal

import numpy as np

from loihiconv.core.errors import InvalidData
from loihiconv.core.labels import listed
from loihiconv.core.linear import Array, Shape
from loihiconv.core.preprocessing import CHANNELS
from loihiconv.core.samples import Dataset

ENDINGS = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp"))
PARTS: dict[Literal["train", "test"], tuple[str, ...]] = {
    "train": ("train", "training"),
    "test": ("test", "testing", "val", "valid", "validation"),
}
"""Names of subfolders that hold a part, in the order in which they are looked for."""
MODES = {"1": "L", "LA": "L", "P": "RGB", "PA": "RGB", "RGBA": "RGB", "RGBX": "RGB", "CMYK": "RGB", "YCbCr": "RGB", "L": "L", "RGB": "RGB"}
"""What images of each of Pillow's modes are read as, unless the network takes another number of channels."""


def part_of(folder: Path, part: Literal["train", "test"]) -> Path | None:
    """The subfolder of a part; None where there is none."""
    return next((folder / name for name in PARTS[part] if (folder / name).is_dir()), None)


def read(
    folder: Path, part: Literal["train", "test"], *, samples: int | None = None, shape: Shape | None = None
) -> tuple[Dataset, tuple[str, ...]]:
    """Images as bytes (N, H, W) or (N, H, W, 3), and their classes, numbered in alphabetical order of the folders' names.

    Classes take turns, so that the first samples are of all of them.

    Parameters
    ----------
    folder : Path
        With one folder for each class, in a subfolder for the part or at once; or without classes, and so without labels.
    part : "train" or "test"
    samples : int, optional
        Not more than so many are read.
    shape : tuple of int, optional
        Of the samples that the network takes: decides whether images are read in colours.

    Returns
    -------
    dataset : Dataset
    notes : tuple of str
        Which class has which number.

    Raises
    ------
    InvalidData
        If Pillow is missing, an image cannot be read, they are of several sizes, or the parts have other classes.
    """
    place = part_of(folder, part) or folder
    names, notes = _classes(place, folder), []
    files = list(islice(_in_turns(place, names), samples))
    if not files:
        endings = ", ".join(sorted(ENDINGS))
        raise InvalidData("holds no images", where=str(place), limit=f"a folder for each class with {endings} expected")
    x, mode = _images([path for path, _ in files], shape)
    notes.append(f"{place}: {len(files):,} images of {x.shape[2]} x {x.shape[1]} pixels, {'grey' if mode == 'L' else 'in colours'}")
    if not names:
        return Dataset(x, None), tuple(notes)
    notes[-1] += f", {len(names)} classes: {listed(names)}"
    return Dataset(x, np.array([label for _, label in files])), tuple(notes)


def _classes(place: Path, folder: Path) -> list[str]:
    """Names of the classes; those of all parts have to be the same, or numbers would mean other classes in each."""
    names = _folders(place)
    for part in PARTS:
        other = part_of(folder, part)
        if other is not None and (theirs := _folders(other)) != names:
            odd = sorted({*names} ^ {*theirs})
            remedy = "make an empty folder for a class without images"
            raise InvalidData(
                f"other classes than {place}: {', '.join(odd[:5])}", where=str(other), limit="the same expected", remedy=remedy
            )
    return names


def _folders(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir() if path.is_dir() and not path.name.startswith("."))


def _in_turns(place: Path, names: Sequence[str]) -> Iterator[tuple[Path, int]]:
    """Images with the number of their class, one of each class in turn."""
    if not names:
        return iter([(path, 0) for path in _files(place, deep=False)])
    per_class = [[(path, number) for path in _files(place / name, deep=True)] for number, name in enumerate(names)]
    return (item for item in chain.from_iterable(zip_longest(*per_class)) if item is not None)


def _files(place: Path, *, deep: bool) -> list[Path]:
    found = place.rglob("*") if deep else place.iterdir()
    return sorted(path for path in found if path.suffix.lower() in ENDINGS and path.is_file() and not path.name.startswith("."))


def _images(paths: Sequence[Path], shape: Shape | None) -> tuple[Array, str]:
    wanted = _wanted_mode(shape)
    if wanted is None:
        modes = {_mode(path) for path in paths}
        wanted = "RGB" if "RGB" in modes else "L"
    first = _pixels(paths[0], wanted)
    x = np.empty((len(paths), *first.shape), np.uint8)
    for k, path in enumerate(paths):
        pixels = _pixels(path, wanted)
        if pixels.shape != first.shape:
            one, other = (f"{s[1]} x {s[0]}" for s in (first.shape, pixels.shape))
            remedy = "resize them, or name a function that does: module:function"
            raise InvalidData(f"{other} pixels", where=str(path), limit=f"{one}, as {paths[0].name} has, expected", remedy=remedy)
        x[k] = pixels
    return x, wanted


def _wanted_mode(shape: Shape | None) -> str | None:
    if shape is None:
        return None
    if len(shape) == 3:
        channels = [n for n in (shape[0], shape[-1]) if n in CHANNELS]
        return "L" if channels[:1] == [1] else "RGB" if channels[:1] == [3] else None
    return "L" if len(shape) == 2 else None


def _mode(path: Path) -> str:
    with _opened(path) as image:
        return MODES[image.mode]


def _pixels(path: Path, mode: str) -> Array:
    with _opened(path) as image:
        try:
            return np.array(image if image.mode == mode else image.convert(mode))
        except (OSError, SyntaxError, ValueError) as error:
            raise InvalidData(f"cannot be read as an image ({error})", where=str(path)) from error


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """An image of 8 bits per channel, of which only the head has been read."""
    try:
        from PIL import Image
    except ImportError as error:
        missing = "folders of images are read by Pillow, which is not installed"
        raise InvalidData(missing, where=str(path), remedy="pip install pillow") from error
    try:
        image = Image.open(path)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InvalidData("cannot be read as an image", where=str(path), limit=str(error)) from error
    with image:
        if image.mode not in MODES:
            remedy = "name a function that reads them: module:function"
            raise InvalidData(f"pixels of mode {image.mode}", where=str(path), limit="8 bits per channel expected", remedy=remedy)
        yield image
