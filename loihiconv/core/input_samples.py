"""Samples in the forms that people have, for networks of one input or several: `loihiconv.core.samples` where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from loihiconv.core.packing import packed, plain
from loihiconv.core.parts import Part
from loihiconv.core.samples import Batch, Dataset, Samples, by_index, check_count, collect, in_memory, is_whole, label_array, of_numbers

Piece = tuple[Any, Any]


def collect_inputs(parts: Sequence[Part], data: Samples, where: str, *, labels: bool = False, samples: int | None = None) -> Dataset:
    """All samples, or the first ones, in memory; see `loihiconv.core.samples.collect`.

    Parameters
    ----------
    parts : sequence of Part
        The inputs.
    data : Samples
        Of several inputs a mapping {input: array}, a tuple of arrays in their order, a pair of either and labels, or what can be iterated
        over and gives batches or samples of these forms.
    where : str
        What errors call it.
    labels : bool
        Whether labels are wanted: then a pair is always (x, y).
    samples : int, optional

    Returns
    -------
    Dataset
        Samples of several inputs are packed, see `loihiconv.core.packing.packed`.

    Raises
    ------
    InvalidData
        If there is nothing in it, an input is missing, or labels are wanted and not there.
    """
    if len(parts) == 1:
        return collect(_unnamed(parts[0], data), where, shape=parts[0].shape, labels=labels, samples=samples)
    return in_memory(_batches(parts, data, where, labels), where, labels=labels, samples=samples)


def _batches(parts: Sequence[Part], data: Samples, where: str, labels: bool) -> Iterator[Batch]:
    """Samples of several inputs, packed, and their labels."""
    for values, given in _pieces(parts, data, labels):
        x, y = packed(parts, values), None if given is None else label_array(given)
        if y is not None:
            check_count(x, y, where)
        yield Batch(x, y)


def _unnamed(part: Part, data: Samples) -> Samples:
    """What is given for one input under its name, without it."""
    if isinstance(data, Mapping) and set(data) == {part.name}:
        return data[part.name]
    if isinstance(data, tuple) and len(data) == 2 and isinstance(data[0], Mapping) and set(data[0]) == {part.name}:
        return data[0][part.name], data[1]
    return data


def _pieces(parts: Sequence[Part], data: Samples, labels: bool) -> Iterator[Piece]:
    """What comes at once, as (samples, labels or None)."""
    if (piece := _piece(parts, data, labels)) is not None:
        yield piece
    elif isinstance(data, (str, bytes)) or not (by_index(data) or isinstance(data, Iterable)):
        yield data, None  # which is refused by what packs it
    else:
        for element in (data[i] for i in range(len(data))) if by_index(data) else data:
            yield _batch(parts, _piece(parts, element, labels) or (element, None))


def _piece(parts: Sequence[Part], data: Any, labels: bool) -> Piece | None:
    if isinstance(data, Dataset):
        return data.x, data.y
    if isinstance(data, (tuple, list)) and len(data) == 2 and _given(parts, data[0]) and (labels or not _given(parts, data)):
        two_batches = _given(parts, data[1]) and not is_whole(data[1])
        return None if two_batches else (data[0], data[1])
    if isinstance(data, (tuple, list)) and len(data) == len(parts) + 1 and _given(parts, data[:-1]):
        return data[:-1], data[-1]
    return (data, None) if _given(parts, data) else None


def _given(parts: Sequence[Part], data: Any) -> bool:
    """Whether this is what the inputs take, whole, packed, or an array for each."""
    if isinstance(data, Mapping) or is_whole(data):
        return True
    return isinstance(data, (tuple, list)) and len(data) == len(parts) and all(is_whole(values) or of_numbers(values) for values in data)


def _batch(parts: Sequence[Part], piece: Piece) -> Piece:
    """A batch, where one sample may have come."""
    x, y = piece
    if isinstance(x, (tuple, list)) and len(x) == len(parts):
        x = {part.name: values for part, values in zip(parts, x, strict=True)}
    first = next((part for part in parts if isinstance(x, Mapping) and part.name in x), None)
    try:
        if first is None or np.shape(x[first.name]) != first.shape:
            return piece
        single = {name: np.asarray(plain(values))[None] for name, values in x.items()}
    except ValueError:  # rows of different lengths, which are refused by what packs them
        return piece
    return single, None if y is None else label_array(y)[None]
