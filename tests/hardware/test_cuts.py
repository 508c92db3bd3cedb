"""Ways to cut, by hand; the cuts that are chosen are recounted in test_placement.py."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihiconv.core.linear import Conv, Dense
from loihiconv.hardware.board import load_board
from loihiconv.hardware.cuts import cores_in_fractions, cuts, intervals, part_counts
from loihiconv.hardware.demand import Layer
from tests.hardware.nets import chain, conv, ones


@pytest.mark.parametrize(
    ("slices", "used", "cores"), [(5, 0.4, 2.4), (6, 1 / 3, 2), (3, 1.0, 3), (1, 0.1, 0.1), (2, 1.01, inf), (93, 1 / 93, 1)]
)
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


def test_the_worst_slice_of_a_cut_is_known_for_each_resource() -> None:
    """Slices in the middle of an image see more than those at its border, and three groups over four parts differ."""
    network = chain((6, 9, 9), Conv(ones(6, 6, 1, 1)), conv(6, 12, 3, groups=3), Dense(ones(2, 972)))
    layer = Layer(network, "layer1", load_board("nahuku8"))
    found = cuts(layer, 1)
    assert {cut.kind for cut in found} == {"channels", "spatial", "mixed"}
    for cut in found:
        demands = [layer.demand(region, halo=cut.halo) for region in cut]
        for resource in ("compartments", "words", "axons_in", "longest"):
            assert getattr(cut.worst, resource) == max(getattr(demand, resource) for demand in demands), (cut.parts, resource)
