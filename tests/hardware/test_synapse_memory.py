"""Words of lists of synapses, by hand."""

from __future__ import annotations

import pytest

from loihiconv.hardware.synapse_memory import delay_bits, index_bits, kernel_words, list_words


@pytest.mark.parametrize(("compartments", "bits"), [(1, 6), (64, 6), (65, 7), (1024, 10), (4096, 12)])
def test_an_index_tells_all_compartments_apart(compartments: int, bits: int) -> None:
    assert index_bits(compartments) == bits


def test_a_delay_of_nothing_takes_nothing() -> None:
    assert [delay_bits(delay) for delay in (0, 1, 2, 7, 8)] == [0, 1, 2, 3, 4]


def test_lists_are_cut_into_blocks_of_64_with_a_header() -> None:
    """18 bits an entry: 64 make 1162 bits, 19 words of 64; 3 make 64 bits, one word; 4 make 82, two."""
    assert [list_words(n, 18, 64) for n in (0, 3, 4, 64, 67, 128)] == [0, 1, 2, 19, 20, 38]
    assert list_words(5, 11, 64) == 2  # 55 bits and a header of 10


def test_kernels_are_packed_without_overhead() -> None:
    assert [kernel_words(n, weight_bits=8, word_bits=32) for n in (0, 1, 4, 5)] == [0, 1, 1, 2]
