"""Samples from where the command line is told to find them: ``.npz`` files, folders of images, and functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from loihiconv.core import image_folder
from loihiconv.core.array_names import PAIRS, PLAIN, Part, names_of
from loihiconv.core.errors import InvalidData
from loihiconv.core.input_samples import collect_inputs
from loihiconv.core.linear import Array, Shape
from loihiconv.core.named import call, named
from loihiconv.core.npz import NoArrays, Npz, opened
from loihiconv.core.packing import plain
from loihiconv.core.parts import Part as Input
from loihiconv.core.parts import divided
from loihiconv.core.samples import Dataset, collect, holds_samples, is_whole, label_array

SHOWN = 8
"""Names of arrays that an error lists."""


def is_function(source: str | Path) -> bool:
    """Whether data is named as ``module:function``, whose code is executed, and is no file."""
    return ":" in str(source) and not Path(source).exists()


def read(
    source: str | Path, part: Part, *, samples: int | None = None, shape: Shape | Mapping[str, Shape] | None = None
) -> tuple[Dataset, tuple[str, ...]]:
    """Read one part of data, as it is.

    Parameters
    ----------
    source : str or Path
        A file for `read_npz`, a folder for `loihiconv.core.image_folder`, or ``module:function``. The function is called with "train" or
        "test" if it takes an argument, and gives what `loihiconv.core.samples.collect` takes, or of several inputs {input: array}, alone or
        with labels; where their shapes are known whatever `loihiconv.core.input_samples.collect_inputs` takes. Its code is EXECUTED.
    part : "train" or "test"
    samples : int, optional
        Not more than so many are read of a folder or a function.
    shape : tuple of int, or {input: tuple of int}, optional
        Of the samples that the network takes, where it is known.

    Returns
    -------
    dataset : Dataset
    notes : tuple of str
        What a user should know about how it was read.
    """
    if is_function(source):
        inputs = [Input(name, of_one) for name, of_one in shape.items()] if isinstance(shape, Mapping) else []
        return _from_function(str(source), part, samples, inputs)
    if Path(source).is_dir():
        return image_folder.read(Path(source), part, samples=samples, shape=shape if isinstance(shape, tuple) else None)
    data, names = _read_npz(Path(source), part)
    usual = names in (PAIRS[part], PLAIN)
    said = () if usual else (f"{source}: {names[0]} are its {part} samples" + (f", {names[1]} their labels" if names[1] else ""),)
    return data.first(samples), said


def holds(source: str | Path, part: Part) -> bool:
    """Whether data has samples that are marked as this part; a function knows what it is asked for."""
    if is_function(source):
        return True
    if Path(source).is_dir():
        return image_folder.part_of(Path(source), part) is not None
    with _archive(Path(source)) as archive:
        return names_of(archive.names, part, marked=True) is not None


def read_npz(path: str | Path, part: Part) -> Dataset:
    """Read one part of a file of arrays, as they are.

    Parameters
    ----------
    path : str or Path
        ``.npz`` with x_train, y_train, x_test, y_test, or with x and y, or as `loihiconv.core.array_names.names_of` tells. Where samples
        are several arrays, these are called x_train/NAME and so on, NAME being the input's. No pickled objects are read.
    part : "train" or "test"
        Where the file has only x and y, they are it.

    Raises
    ------
    InvalidData
        If the file is missing, is no npz, or lacks the arrays.
    """
    return _read_npz(Path(path), part)[0]


def _read_npz(path: Path, part: Part) -> tuple[Dataset, tuple[str, str]]:
    """The same, and what samples and labels are called."""
    with _archive(path) as archive:
        names = names_of(archive.names, part)
        arrays = {} if names is None else {name: archive[name] for name in archive.names if name.split("/")[0] in names}
        there = ", ".join(archive.names[:SHOWN]) + (", ..." if len(archive.names) > SHOWN else "")
    if names is None:
        wanted = " or ".join(" and ".join(pair) for pair in (PAIRS[part], PLAIN))
        remedy = f"it has {there}" if there else ""
        raise InvalidData(f"has no {PAIRS[part][0]}", where=str(path), limit=f"arrays {wanted} expected", remedy=remedy)
    x, y = _named(arrays, names[0]), arrays.get(names[1])
    for name, values in x.items():
        where = f"{names[0]}/{name}" if name else names[0]
        if not values.ndim:
            raise InvalidData(f"{where} is one number", where=str(path), limit="samples (N, ...) expected")
        if values.dtype.kind not in "biuf":
            raise InvalidData(f"{where} holds {values.dtype}", where=str(path), limit="numbers expected")
    if y is not None:
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    _check_lengths({f"{names[0]}/{name}" if name else names[0]: values for name, values in x.items()}, y, names[1], str(path))
    return Dataset(x[""] if set(x) == {""} else x, y), names


def _check_lengths(x: Mapping[str, Array], y: Array | None, labels: str, where: str) -> None:
    """Raise `InvalidData` unless there are as many samples of each input, and labels, if there are any."""
    first = next(iter(x))
    for name, values in x.items():
        if y is not None and (not y.ndim or len(y) != len(values)):
            numbers = f"{len(values)} samples in {name}, {len(y) if y.ndim else 'no'} labels in {labels}"
            raise InvalidData(numbers, where=where, limit="as many expected")
        if len(values) != len(x[first]):
            raise InvalidData(f"{len(x[first])} samples in {first}, {len(values)} in {name}", where=where, limit="as many expected")


def _from_function(source: str, part: Part, samples: int | None, inputs: Sequence[Input]) -> tuple[Dataset, tuple[str, ...]]:
    function = named(source, "a function", InvalidData)
    if callable(function):
        code = getattr(function, "__code__", None)
        asked = code is not None and code.co_argcount - len(function.__defaults__ or ()) >= 1
        found = call((lambda: function(part)) if asked else function, source, "the function", InvalidData)
    else:
        found, asked = function, False
    data = call(lambda: _collected(found, source, samples, inputs), source, "reading what it gives", InvalidData)
    how = f"called for its {part} samples" if asked else f"whatever it gives is taken for {part} samples"
    return data, (f"{source}: its code was executed; {how}, {len(data):,} read",)


def _collected(found: Any, source: str, samples: int | None, inputs: Sequence[Input]) -> Dataset:
    """What a function gave: of several inputs by name as it is, else as the reader of one or of several makes it."""
    if (several := _by_name(found)) is not None:
        arrays = {name: np.asarray(plain(values)) for name, values in several[0].items()}
        y = None if several[1] is None else label_array(several[1])
        _check_lengths(arrays, y, "labels", source)
        return Dataset(arrays, y).first(samples)
    if len(inputs) > 1:
        data = collect_inputs(inputs, found, source, samples=samples)
        return Dataset(divided(data.x, inputs), data.y)
    if isinstance(found, (tuple, list)) and found and (_by_name(found[0]) is not None or _in_order(found)):
        remedy = "give the arrays as a whole: {input: array (N, ...)}, or a pair of that and labels"
        raise InvalidData("samples of several inputs, whose names and shapes are not known yet", where=source, remedy=remedy)
    pair = isinstance(found, tuple) and len(found) == 2 and all(map(is_whole, found)) and len(found[0]) == len(found[1])
    return collect(found, source, labels=pair, samples=samples)


def _by_name(found: Any) -> tuple[Mapping[str, Any], Any] | None:
    """Arrays of several inputs by name and labels, or None, where that is what was given."""
    x, y = found if isinstance(found, (tuple, list)) and len(found) == 2 else (found, None)
    if not isinstance(x, Mapping) or len(x) < 2 or holds_samples(x):
        return None
    return (x, y) if all(isinstance(name, str) and is_whole(values) and values.ndim for name, values in x.items()) else None


def _in_order(found: Sequence[Any]) -> bool:
    """Whether these are arrays of several inputs without names, and labels."""
    x = found[0]
    return len(found) == 2 and is_whole(found[1]) and isinstance(x, (tuple, list)) and len(x) > 1 and all(map(is_whole, x))


def _named(arrays: Mapping[str, Array], name: str) -> dict[str, Array]:
    """The array of a name, under "", or those of several inputs by theirs."""
    if name in arrays:
        return {"": arrays[name]}
    return {key.partition("/")[2]: values for key, values in arrays.items() if key.startswith(f"{name}/")}


@contextmanager
def _archive(path: Path) -> Iterator[Npz]:
    """An open ``.npz``, whose arrays are read as they are asked for."""
    try:
        present = path.is_file()
    except ValueError:  # a NUL in the path
        present = False
    if not present:
        remedy = "give the path of an .npz file or of a folder of images, or module:function"
        raise InvalidData("no such file", where=str(path), remedy=remedy)
    try:
        with opened(path) as archive:
            yield archive
    except NoArrays as error:
        remedy = "write it with numpy.savez, or name a function that reads it, module:function"
        raise InvalidData(f"is not a readable .npz file of plain arrays ({error})", where=str(path), remedy=remedy) from error
