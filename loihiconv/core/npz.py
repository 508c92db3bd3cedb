"""Arrays of ``.npz`` files of others: what a member declares is measured against what is stored before memory is taken for it."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import IO, Any

import numpy as np

from loihiconv.core import numbers as n
from loihiconv.core.linear import Array

_INFLATED = 1100
"""How many times larger than what is stored a member may be: more than deflate can do."""
_SUFFIX = ".npy"
_NPY: Any = np.lib.format  # numpy gives it no type hints


class NoArrays(ValueError):
    """What is wrong with a file, in one line; whoever reads it adds which file."""


class Npz:
    """An open file.

    Parameters
    ----------
    archive : ZipFile
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        members = archive.infolist()
        self._members = {info.filename.removesuffix(_SUFFIX): info for info in members}
        if len(self._members) < len(members):
            raise NoArrays("two members have the same name")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(self._members)

    def __getitem__(self, name: str) -> Array:
        info = self._members[name]
        if info.file_size > _INFLATED * max(info.compress_size, 1):
            raise NoArrays(f"{name} claims {n.in_bytes(info.file_size)}, of which {n.in_bytes(info.compress_size)} are stored")
        with self._archive.open(info) as file:
            shape, dtype = _header(file)
        declared = prod(shape) * dtype.itemsize
        if dtype.hasobject:
            raise NoArrays(f"{name} holds objects, which only code could rebuild; of names astype(str) makes text")
        if any(type(length) is not int or length < 0 for length in shape) or declared > info.file_size:
            raise NoArrays(f"{name} declares {dtype} of shape {shape}, but holds {n.in_bytes(info.file_size)}")
        try:
            with self._archive.open(info) as file:
                return np.asarray(_NPY.read_array(file, allow_pickle=False))
        except MemoryError as error:
            raise NoArrays(f"{name} takes {n.in_bytes(declared)}, for which there is no memory") from error


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = _NPY.read_magic(file)
    read = {(1, 0): _NPY.read_array_header_1_0, (2, 0): _NPY.read_array_header_2_0}.get(version)
    if read is None:
        raise NoArrays(f"arrays of version {version}, 1.0 or 2.0 expected")
    shape, _, dtype = read(file)
    return shape, dtype


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Npz]:
    """A file, whose arrays are read as they are asked for.

    Raises
    ------
    NoArrays
        If it is no ``.npz``, or damaged in whatever way.
    """
    try:
        with open(path, "rb") as file:
            if file.read(6) == b"\x93NUMPY":
                raise NoArrays("a single array")
        with zipfile.ZipFile(path) as archive:
            yield Npz(archive)
    except NoArrays:
        raise
    except Exception as error:  # zipfile, zlib and numpy's reader let out many kinds on damaged files
        raise NoArrays(" ".join(str(error).split()) or type(error).__name__) from error
