"""Pieces of the search for cuts, by hand; the cuts that it finds are recounted in test_placement.py."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihiconv.core.linear import Conv, Dense
from loihiconv.hardware.board import Limit, load_board
from loihiconv.hardware.demand import Demand, Layer
from loihiconv.hardware.partition import cores_in_fractions, cuts, intervals, part_counts, share
from loihiconv.hardware.place import place
from tests.hardware.nets import chain, conv, ones


def test_the_scarcest_resource_counts() -> None:
    board = load_board("nahuku8")  # 1024 compartments and 4096 axons to and from a core
    assert share(Demand(compartments=512, axons_in=1024), board) == 0.5
    assert share(Demand(compartments=512, axons_in=3072), board) == 0.75
    assert share(Demand(compartments=512, words=12288, axons_in=1024), board) == 0.75
    assert share(Demand(compartments=512, axons_out=1024), board, axons_out=2048) == 0.75


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


@pytest.mark.parametrize(("neurons", "kind"), [(512, "whole"), (513, "channels")])
def test_a_core_may_be_full(neurons: int, kind: str) -> None:
    """512 neurons of two compartments each fill one."""
    network = chain((2,), Dense(ones(4, 2)), Dense(ones(neurons, 4)), Dense(ones(2, neurons)))
    assert place(network, "nahuku8")["layer1"].kind == kind


@pytest.mark.parametrize(("words", "kind"), [(30, "whole"), (29, "channels")])
def test_a_list_may_be_as_long_as_an_axon_takes(words: int, kind: str) -> None:
    """100 synapses of 18 bits: 19 words for a block of 64 with its header, and 11 for one of 36."""
    board = load_board("nahuku8").model_copy(update={"synapse_words_per_axon": Limit(value=words, source="a test")})
    network = chain((2,), Dense(ones(4, 2)), Dense(ones(100, 4)), Dense(ones(2, 100)))
    layer = place(network, board)["layer1"]
    assert layer.kind == kind
    assert layer.slices[0].demand.longest <= words


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
