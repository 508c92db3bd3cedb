"""What keeps the HDF5 library busy for ever, looked for before a file is opened: texts whose lengths lead nowhere.

Texts lie in collections of objects, each a header of 16 bytes with index, references and length, and its bytes up to a multiple of 8:
https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, III.E "Global Heap". The library adds lengths up without looking
whether they lead on; one near 2^64 leads back to where it stands.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

COLLECTION, HEADER = b"GCOL\x01\x00\x00\x00", 16


def broken_heap(data: bytes | mmap.mmap) -> int | None:
    """Where the first collection of texts lies of which the lengths lead out of it or nowhere; None where all are sound."""
    at = data.find(COLLECTION)
    while at >= 0:
        if not _sound(data, at):
            return at
        at = data.find(COLLECTION, at + 1)
    return None


def broken_heap_of(path: Path) -> int | None:
    """The same of a file."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return broken_heap(data)


def _sound(data: bytes | mmap.mmap, at: int) -> bool:
    end = len(data)
    if at + HEADER > end:
        return False
    end = min(end, at + struct.unpack_from("<Q", data, at + 8)[0])
    place = at + HEADER
    while place + HEADER <= end:
        index, length = struct.unpack_from("<H6xQ", data, place)
        step = length if not index else HEADER + -(-length // 8) * 8  # what is free counts its own header
        if step < HEADER or place + step > end:
            return False
        place += step
    return True
