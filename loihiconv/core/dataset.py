"""Samples from where the command line is told to find them: ``.npz`` files, folders of images, and functions."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from loihiconv.core import image_folder
from loihiconv.core.errors import InvalidData
from loihiconv.core.linear import Array, Shape
from loihiconv.core.named import call, named
from loihiconv.core.samples import Dataset, collect

Part: TypeAlias = Literal["train", "test"]
PAIRS: dict[Part, tuple[str, str]] = {"train": ("x_train", "y_train"), "test": ("x_test", "y_test")}
PLAIN = ("x", "y")


def is_function(source: str | Path) -> bool:
    """Whether data is named as ``module:function``, whose code is executed, and is no file."""
    return ":" in str(source) and not Path(source).exists()


def read(source: str | Path, part: Part, *, samples: int | None = None, shape: Shape | None = None) -> tuple[Dataset, tuple[str, ...]]:
    """Read one part of data, as it is.

    Parameters
    ----------
    source : str or Path
        A file for `read_npz`, a folder for `loihiconv.core.image_folder`, or ``module:function``. The function is called with "train" or
        "test" if it takes an argument, and gives what `loihiconv.core.samples.collect` takes: its code is EXECUTED.
    part : "train" or "test"
    samples : int, optional
        Not more than so many are read of a folder or a function.
    shape : tuple of int, optional
        Of the samples that the network takes, where it is known.

    Returns
    -------
    dataset : Dataset
    notes : tuple of str
        What a user should know about how it was read.
    """
    if is_function(source):
        return _from_function(str(source), part, samples)
    if Path(source).is_dir():
        return image_folder.read(Path(source), part, samples=samples, shape=shape)
    return read_npz(source, part).first(samples), ()


def holds(source: str | Path, part: Part) -> bool:
    """Whether data has samples that are marked as this part; a function knows what it is asked for."""
    if is_function(source):
        return True
    if Path(source).is_dir():
        return image_folder.part_of(Path(source), part) is not None
    with _archive(Path(source)) as archive:
        return any(name.split("/")[0] == PAIRS[part][0] for name in archive.files)


def read_npz(path: str | Path, part: Part) -> Dataset:
    """Read one part of a file of arrays, as they are.

    Parameters
    ----------
    path : str or Path
        ``.npz`` with x_train, y_train, x_test, y_test, or with x and y. Where samples are several arrays, these are called x_train/NAME
        and so on, NAME being the input's. No pickled objects are read.
    part : "train" or "test"
        Where the file has only x and y, they are it.

    Raises
    ------
    InvalidData
        If the file is missing, is no npz, or lacks the arrays.
    """
    arrays = _arrays(Path(path), [name for pair in (PAIRS[part], PLAIN) for name in pair])
    names = next((pair for pair in (PAIRS[part], PLAIN) if _named(arrays, pair[0])), None)
    if names is None:
        wanted = " or ".join(" and ".join(pair) for pair in (PAIRS[part], PLAIN))
        raise InvalidData(f"has no {PAIRS[part][0]}", where=str(path), limit=f"arrays {wanted} expected")
    x, y = _named(arrays, names[0]), arrays.get(names[1])
    for name, values in x.items():
        if not values.ndim:
            where = f"{names[0]}/{name}" if name else names[0]
            raise InvalidData(f"{where} is one number", where=str(path), limit="samples (N, ...) expected")
    if y is not None:
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
        for name, values in x.items():
            if not y.ndim or len(y) != len(values):
                where = f"{names[0]}/{name}" if name else names[0]
                numbers = f"{len(values)} samples in {where}, {len(y) if y.ndim else 'no'} labels in {names[1]}"
                raise InvalidData(numbers, where=str(path), limit="as many expected")
    return Dataset(x[""] if set(x) == {""} else x, y)


def _from_function(source: str, part: Part, samples: int | None) -> tuple[Dataset, tuple[str, ...]]:
    function = named(source, "a function", InvalidData)
    if callable(function):
        code = getattr(function, "__code__", None)
        asked = code is not None and code.co_argcount - len(function.__defaults__ or ()) >= 1
        found = call((lambda: function(part)) if asked else function, source, "the function", InvalidData)
    else:
        found, asked = function, False
    data = call(lambda: collect(found, source, samples=samples), source, "reading what it gives", InvalidData)
    how = f"called for its {part} samples" if asked else f"whatever it gives is taken for {part} samples"
    return data, (f"{source}: its code was executed; {how}, {len(data):,} read",)


def _arrays(path: Path, wanted: Sequence[str]) -> dict[str, Array]:
    with _archive(path) as archive:
        return {name: archive[name] for name in archive.files if name.split("/")[0] in wanted}


def _named(arrays: Mapping[str, Array], name: str) -> dict[str, Array]:
    """The array of a name, under "", or those of several inputs by theirs."""
    if name in arrays:
        return {"": arrays[name]}
    return {key.partition("/")[2]: values for key, values in arrays.items() if key.startswith(f"{name}/")}


@contextmanager
def _archive(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """An open ``.npz``, whose arrays are read as they are asked for."""
    if not path.is_file():
        remedy = "give the path of an .npz file or of a folder of images, or module:function"
        raise InvalidData("no such file", where=str(path), remedy=remedy)
    remedy = "write it with numpy.savez"
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("a single array")
        with archive:
            yield archive
    except (ValueError, OSError, zipfile.BadZipFile, EOFError, KeyError) as error:
        raise InvalidData(f"is not a readable .npz file of plain arrays ({error})", where=str(path), remedy=remedy) from error
