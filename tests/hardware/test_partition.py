"""Pieces of the search for cuts, by hand; the cuts that it finds are recounted in test_placement.py."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihiconv.hardware.board import load_board
from loihiconv.hardware.demand import Demand
from loihiconv.hardware.partition import cores_in_fractions, intervals, part_counts, share


def test_the_scarcest_resource_counts() -> None:
    board = load_board("nahuku8")  # 1024 compartments and 4096 axons to and from a core
    assert share(Demand(compartments=512, axons_in=1024), board) == 0.5
    assert share(Demand(compartments=512, axons_out=1024), board, axons_out=2048) == 0.75


@pytest.mark.parametrize(("slices", "used", "cores"), [(5, 0.4, 2.4), (6, 1 / 3, 2), (3, 1.0, 3), (1, 0.1, 0.1), (2, 1.01, inf)])
def test_what_is_left_of_a_core_is_a_fraction(slices: int, used: float, cores: float) -> None:
    assert cores_in_fractions(slices, used) == pytest.approx(cores)


@given(st.integers(1, 200), st.integers(1, 200))
def test_intervals_cover_all_and_are_alike(size: int, parts: int) -> None:
    found = intervals(size, min(parts, size))
    assert [i for low, high in found for i in range(low, high)] == list(range(size))
    lengths = {high - low for low, high in found}
    assert max(lengths) - min(lengths) <= 1


def test_numbers_of_parts_that_shorten_the_longest() -> None:
    """Of 10 in 6, 7, 8 or 9 parts the longest has 2 still, as in 5."""
    assert part_counts(10) == [1, 2, 3, 4, 5, 10]
