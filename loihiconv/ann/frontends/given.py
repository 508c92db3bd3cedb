"""Samples as users give them to a float network: one array, or one for each of several inputs, whole or in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any

import numpy as np

from loihiconv.ann.frontends.model import FloatModel
from loihiconv.core.errors import InvalidData
from loihiconv.core.given import shown
from loihiconv.core.input_coding import taken_parts
from loihiconv.core.input_preprocessing import each_applied, given_parts, packed_applied
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.core.packing import packed
from loihiconv.core.parts import Part
from loihiconv.core.preprocessing import Preprocessing
from loihiconv.core.samples import Dataset, by_index, holds_samples


def opened(model: FloatModel, data: Any, each: Mapping[str, Preprocessing] = MappingProxyType({})) -> tuple[FloatModel, Any]:
    """A float network that knows its inputs, and samples for it.

    Parameters
    ----------
    model : FloatModel
    data : array or tensor (N, \\*shape), or iterable of batches
        Of a model of several inputs {name: array}, or a tuple of as many arrays in its order, or batches of either.
    each : {name: Preprocessing}
        What becomes of the samples of several inputs first.

    Returns
    -------
    model : FloatModel
        With ``inputs``, if there are several.
    data : array or iterable of batches
        Packed in that case, see `loihiconv.core.packing.packed`; else as given.

    Raises
    ------
    InvalidData
        If there is no array for one of the inputs.
    LoihiconvError
        If the model takes others.
    """
    data = _inputs_of(model, data)
    if (isinstance(data, Mapping) and (model.input_names or not holds_samples(data))) or _one_for_each(model, data):
        return _whole(model, each_applied(each, _named(model, data)))
    if len(model.inputs) > 1 and isinstance(data, np.ndarray):
        return model, packed_applied(model.inputs, each, packed(given_parts(model.inputs, each), data))
    if not model.input_names:
        return model, data
    if isinstance(data, (str, bytes)) or hasattr(data, "shape") or not isinstance(data, Iterable):
        names = ", ".join(f"{name!r}: ..." for name in model.input_names)
        what = f"one array of shape {tuple(data.shape)}" if hasattr(data, "shape") else shown(data)
        raise InvalidData(
            f"{what} for {len(model.input_names)} inputs",
            where=model.name,
            limit=f"{{{names}}} expected, or a tuple of arrays in this order",
        )
    return _streamed(model, (each_applied(each, _named(model, _without_labels(model, batch))) for batch in data))


def _inputs_of(model: FloatModel, data: Any) -> Any:
    """Samples of several inputs without labels, and those of a data set one after the other; anything else as it is."""
    if not model.input_names:
        return data
    if isinstance(data, Dataset):
        return data.x
    if isinstance(data, tuple) and len(data) == 2 and isinstance(data[0], (Mapping, tuple)):
        return data[0]
    if by_index(data):
        return (_batch_of_one(model, data[i]) for i in range(len(data)))
    return data


def _batch_of_one(model: FloatModel, sample: Any) -> dict[str, Array]:
    return {name: np.asarray(values)[None] for name, values in _named(model, _without_labels(model, sample)).items()}


def _whole(model: FloatModel, named: Mapping[str, Any]) -> tuple[FloatModel, Any]:
    model = bound(model, [Part(name, _sample_shape(name, values)) for name, values in named.items()])
    return model, next(iter(named.values())) if len(named) == 1 else packed(model.inputs, dict(named))


def bound(model: FloatModel, parts: Sequence[Part]) -> FloatModel:
    """The model for inputs of these names and shapes, in its own order."""
    by_name = {part.name: part for part in parts}
    return model.with_inputs([by_name[name] for name in model.input_order(list(by_name))])


def for_network(model: FloatModel, network: Network, x: Any = None) -> FloatModel:
    """The model for the inputs of a spiking network that was made of it; ``x`` are samples that may name the only one."""
    parts = taken_parts(network)
    return bound(model, parts) if len(parts) > 1 or isinstance(x, Mapping) else model


def _streamed(model: FloatModel, batches: Iterator[Mapping[str, Any]]) -> tuple[FloatModel, Any]:
    """Batches, packed one after the other as they come; the first one tells the shapes."""
    first = next(batches, None)
    if first is None:
        raise InvalidData("no samples", where="calibration data", limit="at least 1 expected")
    model, packed_first = _whole(model, first)
    rest = (packed(model.inputs, dict(batch)) for batch in batches)
    return model, chain([packed_first], rest)


def _without_labels(model: FloatModel, batch: Any) -> Any:
    """The inputs of a batch, behind which there may be labels, as data loaders give them."""
    if isinstance(batch, (tuple, list)) and batch:
        first = batch[0]
        return first if isinstance(first, (Mapping, tuple, list)) else tuple(batch[: len(model.input_names)])
    return batch


def _one_for_each(model: FloatModel, data: Any) -> bool:
    return isinstance(data, tuple) and len(model.input_names) == len(data) and all(hasattr(values, "shape") for values in data)


def _named(model: FloatModel, data: Any) -> Mapping[str, Any]:
    if isinstance(data, Mapping):
        if not data or not all(isinstance(name, str) for name in data):
            raise InvalidData(shown(list(data)), where="input", limit="names of inputs expected")
        return data
    names = model.input_names
    if not isinstance(data, (tuple, list)) or len(data) != len(names):
        what = f"{len(data)} arrays" if isinstance(data, (tuple, list)) else shown(data)
        raise InvalidData(f"{what} for {len(names)} inputs ({', '.join(names)})", where=model.name, limit="an array for each expected")
    return dict(zip(names, data, strict=True))


def _sample_shape(name: str, values: Any) -> tuple[int, ...]:
    shape = tuple(getattr(values, "shape", ()) or np.shape(values))
    if len(shape) < 2:
        raise InvalidData(f"samples of shape {shape}", where=f"input {name}", limit="a batch (N, ...) expected", remedy="add an axis of 1")
    return tuple(int(size) for size in shape[1:])
