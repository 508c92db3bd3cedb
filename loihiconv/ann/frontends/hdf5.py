"""HDF5 files of others, read whole and with limits: numbers and texts, and nothing that would lead out of the file.

h5py executes nothing that a file holds. A damaged or hostile one can still claim more than memory holds, lead to other files, or
go round in circles; all of that is refused here, in one line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from loihiconv.ann.frontends.hdf5_heaps import broken_heap_of
from loihiconv.core.errors import InvalidModel

Tree: TypeAlias = dict[str, Any]
"""Groups as dictionaries; datasets as numpy arrays of numbers, texts as `str`, arrays of texts as lists, nested like the array."""

SIGNATURE = b"\x89HDF\r\n\x1a\n"
LARGEST = 2**32
"""Bytes that all datasets of a file may take once they are unpacked."""
SMALL, DENSEST = 2**24, 128
"""Bytes that values may always take, and how many times larger than what is stored they may be beyond that: weights, also of sparse
networks, do not pack as zeros do, and what is read takes several times as much again while it is looked at."""
_INFLATED = 1100
"""How many times larger than what is stored values may be: more than deflate can do."""
DEEPEST, MOST = 32, 200_000
"""Groups within groups, and members of all of them."""


def is_hdf5(path: str | Path) -> bool:
    """Whether a file begins as HDF5 files do."""
    try:
        with open(path, "rb") as file:
            return file.read(len(SIGNATURE)) == SIGNATURE
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return False


def holds(path: str | Path, member: str, suffix: str) -> bool:
    """Whether a file is HDF5 and has a member of this path; without h5py, whether its name ends in ``suffix``."""
    if not is_hdf5(path):
        return False
    try:
        import h5py
    except ImportError:
        return Path(path).suffix == suffix
    try:
        with h5py.File(path, "r") as file:
            return member in file
    except Exception:  # damaged: whoever reads it says so
        return Path(path).suffix == suffix


def read_tree(path: str | Path) -> Tree:
    """All that a file holds.

    Raises
    ------
    InvalidModel
        If h5py is not installed, or the file is missing, damaged, no HDF5, larger than `LARGEST`, or leads to other files.
    """
    path = Path(path)
    try:
        import h5py
    except ImportError as error:
        raise InvalidModel("h5py is needed for this file", where=str(path), remedy='pip install "loihiconv[nir]"') from error
    try:
        present = path.is_file()
    except ValueError:  # a NUL in the path
        present = False
    if not present:
        raise InvalidModel("no such file", where=str(path))
    if not is_hdf5(path):
        raise InvalidModel("is no HDF5 file, or its beginning is damaged", where=str(path))
    try:
        if (at := broken_heap_of(path)) is not None:
            raise InvalidModel(f"damaged: its texts from byte {at} on", where=str(path), remedy="write or download it again")
        with h5py.File(path, "r") as file:
            return _Reader(path).group(file, "", 0)
    except InvalidModel:
        raise
    except Exception as error:  # h5py lets out many kinds on damaged files: OSError, RuntimeError, KeyError, UnicodeDecodeError, ...
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InvalidModel(f"damaged: {reason}", where=str(path), remedy="write or download it again") from error


class _Reader:
    """What is left of the limits while a file is read."""

    def __init__(self, path: Path) -> None:
        self.path, self.members = path, MOST
        self.stored = path.stat().st_size
        self.most = self.bytes = min(LARGEST, max(SMALL, DENSEST * self.stored))

    def group(self, group: Any, name: str, depth: int) -> Tree:
        import h5py

        if depth > DEEPEST:
            raise self.refuse(name, f"groups are nested deeper than {DEEPEST}")
        tree: Tree = {}
        for key in group:
            self.members -= 1
            if self.members < 0:
                raise self.refuse(name, f"holds more than {MOST} members")
            inside = f"{name}/{key}".lstrip("/")
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise self.refuse(inside, "is a link to somewhere else, which is not followed")
            member = group[key]
            tree[key] = self.group(member, inside, depth + 1) if isinstance(member, h5py.Group) else self.value(member, inside)
        return tree

    def value(self, dataset: Any, name: str) -> Any:
        import h5py

        if not isinstance(dataset, h5py.Dataset):
            raise self.refuse(name, "is neither a group nor a dataset")
        if dataset.is_virtual or dataset.external:
            raise self.refuse(name, "has its values in another file, which is not read")
        text = h5py.check_string_dtype(dataset.dtype) is not None
        if dataset.shape is None or not (text or dataset.dtype.kind in "biuf"):
            raise self.refuse(name, f"holds {dataset.dtype}; numbers or texts expected")
        if dataset.nbytes > _INFLATED * (stored := dataset.id.get_storage_size()):
            raise self.refuse(name, f"claims {dataset.dtype} of shape {dataset.shape}, but takes {stored:,} bytes in the file")
        self.bytes -= dataset.size * max(dataset.dtype.itemsize, 1)
        if self.bytes < 0:
            raise self.refuse(name, f"with it a file of {self.stored:,} bytes holds more than {self.most >> 20:,} MiB")
        return _texts(dataset[()]) if text else np.asarray(dataset[()])

    def refuse(self, name: str, what: str) -> InvalidModel:
        return InvalidModel(f"{name or 'its root'} {what}", where=str(self.path))


def _texts(value: Any) -> Any:
    """Texts of h5py, which are bytes or arrays of bytes, as `str` and lists of it."""
    if isinstance(value, np.ndarray):
        return [_texts(part) for part in value]
    return value.decode() if isinstance(value, bytes) else str(value)
