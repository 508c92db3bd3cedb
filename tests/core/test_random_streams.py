"""Random words: the same wherever a block begins, and for ever."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.core.random_streams import INPUT, READOUT, words


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**40), st.integers(0, 500), st.integers(1, 9), st.integers(1, 40))
def test_words_do_not_depend_on_where_a_block_begins(seed: int, sample: int, begin: int, steps: int, size: int) -> None:
    whole = words(seed, INPUT, sample, begin=0, steps=begin + steps, size=size)
    np.testing.assert_array_equal(words(seed, INPUT, sample, begin=begin, steps=steps, size=size), whole[begin:])
    assert not np.array_equal(words(seed, READOUT, sample, begin=0, steps=8, size=8), words(seed, INPUT, sample, begin=0, steps=8, size=8))


def test_words_stay_what_they_are() -> None:
    """Saved networks promise the same spikes for ever: no version of numpy may change what is drawn."""
    assert [hex(w) for w in words(0, INPUT, 0, begin=0, steps=1, size=2)[0]] == ["0x8e4d89b", "0x2f4ba64"]
