"""Slices onto cores, by hand: a core holds 8 compartments, and all else in plenty."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loihiconv.hardware.board import load_board
from loihiconv.hardware.board_fields import Limit
from loihiconv.hardware.demand import Demand
from loihiconv.hardware.packing import Bag, fits, merge, next_fit

BOARD = load_board("nahuku8").model_copy(update={"neurons_per_core": Limit(value=8, source="a test")})


def demand(compartments: int) -> Demand:
    return Demand(compartments=compartments)


def contents(bags: list[Bag]) -> list[list[tuple[str, int]]]:
    return [list(bag.slices) for bag in bags]


def test_neighbours_stay_together_until_a_core_is_full() -> None:
    bags = next_fit("a", [demand(n) for n in (3, 5, 4, 9, 1)], BOARD)
    assert contents(bags) == [[("a", 0), ("a", 1)], [("a", 2)], [("a", 3)], [("a", 4)]]
    assert [fits(bag, BOARD) for bag in bags] == [True, True, False, True]


def test_what_is_left_over_goes_where_it_first_fits_the_largest_first() -> None:
    """7 | 5 + 3 | 4 + 2: the 3 does not fit beside the 7, the 2 neither there nor beside 5 + 3."""
    bags = [Bag(((name, 0),), demand(n)) for name, n in (("a", 2), ("b", 5), ("c", 3), ("d", 7), ("e", 4))]
    assert contents(merge(bags, BOARD)) == [[("e", 0), ("a", 0)], [("b", 0), ("c", 0)], [("d", 0)]]


def test_what_fills_a_core_to_the_last_fits() -> None:
    """4 + 2 + 2: what is left is counted down by what was put in."""
    bags = [Bag(((name, 0),), demand(n)) for name, n in (("a", 4), ("b", 2), ("c", 2), ("d", 8))]
    assert contents(merge(bags, BOARD)) == [[("a", 0), ("b", 0), ("c", 0)], [("d", 0)]]


@given(st.lists(st.integers(1, 10), max_size=40))
def test_what_goes_where_is_what_looking_at_every_core_gives(sizes: list[int]) -> None:
    held: list[list[int]] = []
    for i in sorted(range(len(sizes)), key=lambda i: (-sizes[i], i)):
        place = next((core for core in held if sum(sizes[k] for k in core) + sizes[i] <= 8), None)
        if place is None:
            held.append([i])
        else:
            place.append(i)
    bags = [Bag((("a", i),), demand(n)) for i, n in enumerate(sizes)]
    assert contents(merge(bags, BOARD)) == [[("a", i) for i in core] for core in sorted(held, key=min)]


def test_a_core_has_so_many_profiles() -> None:
    """Two for each population, as neurons take two compartments; one population alone is never split for it."""
    both = Bag((("a", 0), ("b", 0)), demand(2))
    for profiles, fit in ((4, True), (3, False)):
        board = BOARD.model_copy(update={"profiles_per_core": Limit(value=profiles, source="a test")})
        assert board.compartments_per_neuron.value == 2
        assert fits(both, board) is fit
    board = BOARD.model_copy(update={"profiles_per_core": Limit(value=1, source="a test")})
    assert fits(Bag((("a", 0), ("a", 1)), demand(2)), board)


def test_populations_of_one_core_are_counted_once() -> None:
    bag = Bag((("a", 0),), demand(1)) + Bag((("a", 1),), demand(2)) + Bag((("b", 0),), demand(1))
    assert (bag.populations, bag.demand.compartments) == (2, 4)
