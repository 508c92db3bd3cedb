"""Samples in the forms that people have, as arrays: the one place that tells them apart.

Arrays and tensors, pairs (x, y), mappings, data sets by index, data loaders, and whatever else can be iterated over. Tensors and images of
other packages are known by what they can do, so that nothing but numpy is imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Number
from os import PathLike
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from loihiconv.core.errors import InvalidData, InvalidSetting
from loihiconv.core.given import shown
from loihiconv.core.linear import Array, Shape
from loihiconv.core.packing import count, plain, rows

Samples: TypeAlias = Any
"""An array or tensor, a pair (x, y), a mapping, a data set, a data loader, or an iterable of samples or batches of any of these."""

BATCH = 128
"""Single samples that are put together."""
MOST_BYTES = 4 * 2**30
"""What is read of an iterable without a limit on its samples: one without an end would fill the memory."""
X_KEYS = ("x", "image", "images", "img", "input", "inputs", "pixel_values", "data", "sample", "samples", "features")
Y_KEYS = ("y", "label", "labels", "target", "targets", "class", "classes", "fine_label")
FORMS = "an array or tensor (N, *shape), a Dataset, a DataLoader, or an iterable of samples or batches"
LABELLED = "a pair (x, y), a Dataset, a DataLoader, or an iterable of pairs"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples (N, \\*shape), as they come, and labels (N,) or None where there are none. Samples of several inputs are {input: array}."""

    x: Any
    y: Array | None

    def __len__(self) -> int:
        return count(self.x)

    def first(self, samples: int | None) -> Dataset:
        """The first samples; None for all."""
        return self if samples is None else self.rows(slice(samples))

    def rows(self, which: Any) -> Dataset:
        """Some of the samples, by an index of the first axis."""
        return Dataset(rows(self.x, which), None if self.y is None else self.y[which])


class Batch(NamedTuple):
    """Samples (n, \\*shape), and labels (n, ...) or None."""

    x: Array
    y: Array | None


def is_whole(data: object) -> bool:
    """Whether data is one array or tensor of samples."""
    return isinstance(data, np.ndarray) or (hasattr(data, "__array__") and hasattr(data, "ndim"))


def stream(data: Samples, where: str, *, shape: Shape | None = None, axes: int | None = None, labels: bool = False) -> Iterator[Batch]:
    """Data of any form as batches of arrays, one after the other.

    Parameters
    ----------
    data : Samples
        What is iterated over may be samples or batches: labels tell which it is, or the shape of a sample where it is known.
    where : str
        What errors call it.
    shape : tuple of int, optional
        Of one sample.
    axes : int, optional
        Of one sample, where no more is known of its shape.
    labels : bool
        Whether labels are wanted: then a pair is always (x, y).

    Raises
    ------
    InvalidData
        If it is of none of these forms.
    """
    reader = _Reader(where, shape, labels, len(shape) if shape is not None else axes)
    if (piece := reader.piece(data)) is not None:
        yield piece
    elif by_index(data):
        yield from reader.elements((data[i] for i in range(len(data))), single=True)
    elif isinstance(data, (str, bytes)) or not isinstance(data, Iterable):
        remedy = "read the file first, as numpy.load(...) does" if isinstance(data, (str, bytes, PathLike)) else ""
        raise InvalidData(f"{shown(data)} as {where}", where=where, limit=f"{LABELLED if labels else FORMS} expected", remedy=remedy)
    else:
        yield from reader.elements(data, single=any(kind.__name__ == "IterableDataset" for kind in type(data).__mro__))


def holds_samples(data: Mapping[Any, Any]) -> bool:
    """Whether a mapping is samples of one input by a usual name, with labels or without."""
    names = [str(key).lower() for key in data]
    return sum(name in X_KEYS for name in names) == 1 and all(name in X_KEYS or name in Y_KEYS for name in names)


def one_piece(data: Samples, where: str) -> Array | None:
    """Samples that are in memory at once, as arrays and pairs of arrays are; None for what is read bit by bit."""
    piece = _Reader(where).piece(data)
    return None if piece is None else piece.x


def labels_at_once(data: Samples, where: str) -> Array | None:
    """Labels of samples that are in memory at once; None where there are none, or samples are read bit by bit."""
    piece = _Reader(where).piece(data)
    return None if piece is None else piece.y


def collect(data: Samples, where: str, *, shape: Shape | None = None, labels: bool = False, samples: int | None = None) -> Dataset:
    """All samples of data of any form, or the first ones, in memory.

    Parameters
    ----------
    data, where, shape, labels
        As `stream` takes them.
    samples : int, optional
        Not more than so many are read. Without it at most `MOST_BYTES` are read of what is iterated over.

    Raises
    ------
    InvalidData
        If there is nothing in it, batches do not belong together, labels are wanted and not there, or it is too much.
    """
    return in_memory(stream(data, where, shape=shape, labels=labels), where, labels=labels, samples=samples)


def in_memory(batches: Iterable[Batch], where: str, *, labels: bool, samples: int | None) -> Dataset:
    """All samples of batches, or the first ones; see `collect`."""
    check_samples_limit(samples)
    xs: list[Array] = []
    ys: list[Array | None] = []
    held = size = 0
    for x, y in batches:
        left = None if samples is None else samples - held
        xs.append(x[:left])
        ys.append(None if y is None else y[:left])
        held += len(xs[-1])
        size += x.nbytes
        if held == samples:
            break
        if samples is None and len(xs) > 1 and size > MOST_BYTES:
            limit = f"at most {MOST_BYTES / 2**30:g} GiB are read of what is iterated over"
            raise InvalidData(f"more than {held:,} samples", where=where, limit=limit, remedy="say how many: samples=1000")
    if not held:
        raise InvalidData("no samples", where=where, limit="at least 1 expected")
    given = [y for y in ys if y is not None]
    if labels and len(given) < len(ys):
        raise InvalidData("no labels", where=where, limit=f"{LABELLED} expected", remedy="use run for samples without labels")
    together = len(given) == len(ys) and (labels or len({y.shape[1:] for y in given}) == 1)
    return Dataset(_joined(xs, where), _joined(given, where) if together else None)


def check_count(x: Array, y: Array, where: str) -> None:
    """Raise `InvalidData` unless there is a label for each sample."""
    if not y.ndim or len(y) != len(x):
        numbers = f"{len(x)} samples and {len(y) if y.ndim else 'no'} labels"
        raise InvalidData(numbers, where=where, limit="as many labels as samples expected")


def check_samples_limit(samples: object) -> None:
    """Raise `InvalidSetting` for what is neither None nor a number of samples."""
    if samples is not None and not (isinstance(samples, (int, np.integer)) and not isinstance(samples, bool) and samples >= 1):
        raise InvalidSetting(f"samples {shown(samples)}", where="samples", limit="a whole number of at least 1 expected, or None")


@dataclass(frozen=True)
class _Reader:
    """What single elements of data are."""

    where: str
    shape: Shape | None = None
    labels: bool = False
    axes: int | None = None

    def piece(self, data: Any) -> Batch | None:
        """Data that comes at once."""
        if is_whole(data) or hasattr(data, "toarray"):
            return self.batch((data, None))
        if isinstance(data, (Dataset, Mapping)):
            return self.batch(self.parts(data))
        if isinstance(data, (tuple, list)) and self.is_pair(data):
            return self.batch((data[0], data[1]))
        return self.batch((data, None)) if isinstance(data, (tuple, list)) and of_numbers(data) else None

    def array(self, value: Any) -> Array:
        """Numbers of an array, tensor, image or nested lists."""
        if isinstance(value, (str, bytes, Mapping)) or value is None:
            raise InvalidData(f"{shown(value)} in place of samples", where=self.where, limit=f"{FORMS} expected")
        if hasattr(value, "toarray"):  # of scipy.sparse
            raise InvalidData(f"{shown(value)} as {self.where}", where=self.where, limit="an array expected", remedy="give x.toarray()")
        check_unmasked(value, self.where)
        try:
            array = np.asarray(plain(value))
        except (TypeError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise InvalidData(f"samples that make no array: {reason}", where=self.where, limit="samples of one shape expected") from error
        if array.dtype.kind not in "biuf":
            raise InvalidData(f"samples of type {array.dtype}", where=self.where, limit="numbers expected")
        return array

    def is_pair(self, data: Any) -> bool:
        """Whether two things are samples and their labels, and not two batches or samples."""
        if len(data) != 2 or (isinstance(data, list) and not self.labels) or by_index(data[0]):
            return False
        if self.labels:
            return not any(isinstance(part, (tuple, Mapping)) for part in data)
        if not all(is_whole(part) or of_numbers(part) for part in data):
            return False
        try:
            x, y = (np.asarray(plain(part)) for part in data)
        except ValueError:  # rows of different lengths
            return False
        if not x.ndim or not y.ndim or len(x) != len(y):
            return False
        return bool(y.ndim <= 2 and y.shape[1:] != x.shape[1:])

    def parts(self, element: Any) -> tuple[Any, Any]:
        """Samples and labels of an element; None for labels that it has not."""
        if isinstance(element, Dataset):
            return element.x, element.y
        if isinstance(element, Mapping):
            return self._of_mapping(element)
        if isinstance(element, (tuple, list)) and element and not of_numbers(element):
            if self.labels and len(element) != 2:
                limit = "pairs (x, y) expected"
                raise InvalidData(f"elements of {len(element)} parts", where=self.where, limit=limit, remedy="give samples and labels")
            return element[0], element[1] if len(element) > 1 else None
        return element, None

    def _of_mapping(self, element: Mapping[Any, Any]) -> tuple[Any, Any]:
        names = {str(key).lower(): key for key in element}
        xs, ys = [names[key] for key in X_KEYS if key in names], [names[key] for key in Y_KEYS if key in names]
        if len(xs) != 1 or len(ys) > 1:
            if len(element) == 1:
                return next(iter(element.values())), None
            held = ", ".join(map(repr, element)) or "nothing"
            limit = 'one of them called "image" or "x" expected, and one "label" or "y"'
            raise InvalidData(f"a mapping of {held}", where=self.where, limit=limit, remedy="give pairs (x, y)")
        return element[xs[0]], element[ys[0]] if ys else None

    def batch(self, parts: tuple[Any, Any]) -> Batch:
        """Samples with as many labels."""
        x, y = self.array(parts[0]), None if parts[1] is None else label_array(parts[1])
        if not x.ndim:
            raise InvalidData(f"{x} in place of samples", where=self.where, limit=f"{FORMS} expected")
        if y is not None and self.labels:
            check_count(x, y, self.where)
        return Batch(x, y if y is not None and y.ndim and len(y) == len(x) else None)

    def elements(self, data: Iterable[Any], *, single: bool) -> Iterator[Batch]:
        """Batches of what comes one by one; ``single`` where nothing tells whether that is samples or batches."""
        kept: list[tuple[Array, Array | None]] = []
        for element in data:
            x, label = self.parts(element)
            x, y = self.array(x), None if label is None else label_array(label)
            if not x.ndim and not (single and self.shape in (None, ())):
                raise InvalidData(f"{shown(element)} in place of samples", where=self.where, limit=f"{FORMS} expected")
            if self._is_sample(x, y, single):
                kept.append((x, y))
                if len(kept) < BATCH:
                    continue
                yield self._stacked(kept)
                kept = []
            else:
                if kept:
                    yield self._stacked(kept)
                    kept = []
                if len(x):
                    yield self.batch((x, y))
        if kept:
            yield self._stacked(kept)

    def _is_sample(self, x: Array, y: Array | None, otherwise: bool) -> bool:
        if self.shape is not None and self.shape in (x.shape, x.shape[1:]):
            return x.shape == self.shape
        if x.ndim == 1 or (y is not None and not y.ndim):  # a batch has an axis more than a sample, and that has one
            return True
        if y is not None:
            return len(y) != len(x)
        return x.ndim == self.axes if self.axes is not None and x.ndim in (self.axes, self.axes + 1) else otherwise

    def _stacked(self, kept: list[tuple[Array, Array | None]]) -> Batch:
        shapes = {x.shape for x, _ in kept}
        if len(shapes) > 1:
            one, other, *_ = sorted(shapes)
            remedy = "crop or resize them"
            raise InvalidData(f"samples of shapes {one} and {other}", where=self.where, limit="one shape expected", remedy=remedy)
        labels = [y for _, y in kept if y is not None]
        alike = len(labels) == len(kept) and len({y.shape for y in labels}) == 1
        return Batch(np.stack([x for x, _ in kept]), np.stack(labels) if alike else None)


def check_unmasked(value: Any, where: str) -> None:
    """Raise `InvalidData` for masked values: what stands behind a mask is no number that anyone means."""
    if isinstance(value, np.ma.MaskedArray) and (hidden := int(np.sum(value.mask))):
        remedy = "leave these samples out, or give x.filled(...) with a value for them"
        raise InvalidData(f"{hidden:,} of {value.size:,} values are masked", where=where, limit="numbers expected", remedy=remedy)


def label_array(value: Any) -> Array:
    """Labels of an array, tensor or list."""
    check_unmasked(value, "labels")
    try:
        return np.asarray(plain(value))
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidData("labels that make no array", where="labels", limit="one label for each sample expected") from error


def of_numbers(value: Any) -> bool:
    """Whether lists are nested numbers, as arrays are written by hand."""
    while isinstance(value, (tuple, list)) and value:
        value = value[0]
    return isinstance(value, Number)


def by_index(data: Any) -> bool:
    """Whether samples are taken by their index, as of a torch Dataset."""
    kind = type(data)
    return (
        not isinstance(data, (tuple, list, str, bytes, Mapping))
        and not is_whole(data)
        and all(hasattr(kind, name) for name in ("__getitem__", "__len__"))
    )


def _joined(parts: list[Array], where: str) -> Array:
    if len(parts) == 1:
        return parts[0]
    shapes = list(dict.fromkeys(part.shape[1:] for part in parts))
    if len(shapes) > 1:
        raise InvalidData(f"batches of shapes {shapes[0]} and {shapes[1]}", where=where, limit="one shape expected")
    return np.concatenate(parts)
