"""What a Keras file holds: a description of layers in JSON, and arrays in HDF5. Nothing in it is carried out.

Two formats: ``.keras``, a ZIP archive of config.json and model.weights.h5 (Keras 3), and HDF5 with the description as an attribute
(`model_config`) and weights in `model_weights` (Keras 1 to 3).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from loihiconv.ann.frontends.hdf5 import DENSEST, SMALL
from loihiconv.ann.frontends.hdf5_heaps import broken_heap, broken_heap_of
from loihiconv.core.errors import InvalidModel, LoihiconvError
from loihiconv.core.json_text import read_json
from loihiconv.core.linear import Array

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
_JSON_LIMIT = 2**26
_INFLATED = 1100
"""How many times larger than what is stored an array may be: more than deflate can do."""
_MOST_TEXTS = 100_000
"""Values of an attribute, such as names of weights."""
_MOST_DEPTH = 12
"""Of groups within groups."""
_COPY = "copy or save it again"


@dataclass(frozen=True)
class Saved:
    """A model's description, and the root of its weights.

    Attributes
    ----------
    config : dict
        Of the model: class_name and config.
    weights : h5py.Group
        Open while the file is.
    legacy : bool
        Whether weights lie as Keras 1 and 2 have them, under names of layers.
    keras3 : bool
        Whether Keras 3 wrote it.
    """

    config: dict[str, Any]
    weights: Any
    legacy: bool
    keras3: bool


@contextmanager
def opened(path: Path) -> Iterator[Saved]:
    """What a file holds, while it is open.

    Raises
    ------
    InvalidModel
        If it is damaged, holds weights alone, or h5py is missing.
    """
    try:
        import h5py
    except ImportError as error:
        raise InvalidModel("h5py is needed for this file", where=str(path), remedy="pip install loihiconv[keras]") from error
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                config = _json(_member(archive, CONFIG, path), path)
                data = _member(archive, WEIGHTS, path)
            _check_texts(broken_heap(data), path)
            with h5py.File(io.BytesIO(data), "r") as file:
                yield Saved(config, file, legacy=False, keras3=True)
        else:
            _check_texts(broken_heap_of(path), path)
            with h5py.File(path, "r") as file:
                yield _hdf5(file, path)
    except LoihiconvError:
        raise
    except Exception as error:  # what a damaged file breaks in h5py, zipfile or the description is of many kinds
        said = (str(error).splitlines() or [""])[0]
        raise InvalidModel(f"is a damaged Keras file: {type(error).__name__}: {said}", where=str(path), remedy=_COPY) from error


def _check_texts(at: int | None, path: Path) -> None:
    if at is not None:
        raise InvalidModel(f"is damaged: its texts from byte {at} on", where=str(path), remedy=_COPY)


def _hdf5(file: Any, path: Path) -> Saved:
    if "node" in file:
        raise InvalidModel(
            "is a spiking network in NIR's format",
            where=str(path),
            limit="a float network expected",
            remedy="take it with loihiconv import",
        )
    weights = subgroup(file, "model_weights")
    if "model_config" not in file.attrs or weights is None:
        holds = "weights alone, and no description of the layers" if "layer_names" in file.attrs or "layers" in file else "no Keras model"
        remedy = "save the whole model: model.save('model.keras')"
        raise InvalidModel(f"is HDF5 that holds {holds}", where=str(path), remedy=remedy)
    text = attribute(file, "model_config")
    version = attribute(file, "keras_version")
    version = b"2" if version is None else version
    version = version.decode() if isinstance(version, bytes) else str(version)
    return Saved(_json(text if isinstance(text, bytes) else str(text).encode(), path), weights, True, version.startswith("3"))


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    if name not in archive.namelist():
        raise InvalidModel(f"lacks {name}", where=str(path), remedy=_COPY)
    info = archive.getinfo(name)
    if info.file_size > _INFLATED * max(info.compress_size, 1):
        raise InvalidModel(
            f"{name} claims {info.file_size:,} bytes, of which {info.compress_size:,} are stored", where=str(path), remedy=_COPY
        )
    return archive.read(name)


def _json(text: bytes, path: Path) -> dict[str, Any]:
    if len(text) > _JSON_LIMIT:
        raise InvalidModel(f"its description takes {len(text):,} bytes", where=str(path), limit=f"{_JSON_LIMIT:,} at most")
    try:
        config = read_json(text)
    except ValueError as error:
        raise InvalidModel(f"its description is no JSON: {error}", where=str(path), remedy=_COPY) from error
    if not isinstance(config, dict) or not isinstance(config.get("config"), (dict, list)):
        raise InvalidModel("its description is none of a model", where=str(path), remedy=_COPY)
    return config


def attribute(group: Any, name: str) -> Any:
    """An attribute of a group, or None; of a damaged one the size is looked at first, since HDF5 would try to read any number of texts.

    Raises
    ------
    InvalidModel
        If it claims to have more values than any model has.
    """
    if name not in group.attrs:
        return None
    count = prod(group.attrs.get_id(name).shape)
    if count > _MOST_TEXTS:
        raise InvalidModel(f"its attribute {name!r} claims {count:,} values", where=str(group.name), remedy=_COPY)
    return group.attrs[name]


def subgroup(group: Any, name: str) -> Any:
    """A group of a group, of this file; None where there is none, or an array, which h5py would search value by value."""
    import h5py

    found = isinstance(group, h5py.Group) and isinstance(group.get(name, getlink=True), h5py.HardLink)
    return group[name] if found and group.get(name, getclass=True) is h5py.Group else None


def datasets(group: Any, depth: int = 0, seen: set[int] | None = None) -> list[str]:
    """Paths of all datasets of a group and of groups within it, as far as they are in this file.

    They are looked up rather than read from the attribute that lists them: a damaged list of texts keeps HDF5 busy for ever.
    """
    import h5py

    found: list[str] = []
    seen = set() if seen is None else seen
    at = h5py.h5o.get_info(group.id).addr
    if at in seen or depth >= _MOST_DEPTH:  # groups that lie within themselves
        return found
    seen.add(at)
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        kind = group.get(name, getclass=True)
        if kind is h5py.Dataset:
            found.append(name)
        elif kind is h5py.Group:
            found += [f"{name}/{inner}" for inner in datasets(group[name], depth + 1, seen)]
        if len(found) > _MOST_TEXTS:
            raise InvalidModel(f"holds more than {_MOST_TEXTS:,} arrays", where=str(group.name), remedy=_COPY)
    return found


def array(group: Any, name: str, where: str) -> Array:
    """A dataset of a group as float32, from this file and no other.

    Raises
    ------
    InvalidModel
        If it is missing, lies in another file, claims more than is stored, or is no array of finite numbers.
    """
    import h5py

    for part in name.split("/")[:-1]:
        group = subgroup(group, part)
    last = name.rpartition("/")[2]
    link = group.get(last, getlink=True) if isinstance(group, h5py.Group) else None
    dataset = group[last] if isinstance(link, h5py.HardLink) else None
    if not isinstance(dataset, h5py.Dataset):
        raise InvalidModel(f"its weights {name!r} are missing", where=where, remedy=_COPY)
    stored = dataset.id.get_storage_size()
    short = dataset.dtype.kind == "V" and dataset.dtype.itemsize == 2  # bfloat16, which HDF5 has no name for
    numbers = dataset.dtype.kind in "fiu" or short
    too_large = 4 * dataset.size > max(SMALL, DENSEST * stored) or dataset.nbytes > _INFLATED * stored
    if dataset.external or dataset.is_virtual or too_large or not numbers:
        raise InvalidModel(
            f"its weights {name!r}, {dataset.dtype} of shape {dataset.shape}, take {stored:,} bytes in the file", where=where, remedy=_COPY
        )
    kept = dataset[()]
    values = np.asarray((kept.view(np.uint16).astype(np.uint32) << 16).view(np.float32) if short else kept, np.float32)
    if bad := int(np.count_nonzero(~np.isfinite(values))):
        raise InvalidModel(
            f"{bad} of {values.size} values of {name!r} are NaN or infinite", where=where, remedy="check that training converged"
        )
    return values
