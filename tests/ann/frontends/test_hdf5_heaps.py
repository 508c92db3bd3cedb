from __future__ import annotations

import io
import struct

import h5py
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loihiconv.ann.frontends.hdf5_heaps import COLLECTION, broken_heap


def file_of(*texts: str) -> bytearray:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["texts"] = list(texts)
        file["numbers"] = np.arange(99)
    return bytearray(buffer.getvalue())


@given(st.lists(st.text(max_size=40).filter(lambda text: "\0" not in text), max_size=200))
def test_what_is_whole_is_sound(texts: list[str]) -> None:
    assert broken_heap(bytes(file_of("a", *texts))) is None


def test_lengths_that_lead_nowhere() -> None:
    whole = file_of("first", "second")
    at = whole.index(COLLECTION)
    for length in (2**64 - 1, 2**64 - 16, 5000, 2**63):  # of the first text; the library never comes back from the first two
        data = whole.copy()
        data[at + 24 : at + 32] = struct.pack("<Q", length)
        assert broken_heap(bytes(data)) == at
    free = whole.copy()
    free[at + 16 : at + 32] = struct.pack("<HHIQ", 0, 0, 0, 0)  # a free place of length 0
    assert broken_heap(bytes(free)) == at
    assert broken_heap(bytes(whole[: at + 12])) == at
    assert broken_heap(bytes(whole[:at])) is None
