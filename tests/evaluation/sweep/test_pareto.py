"""Pareto fronts against their definition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loihiconv.evaluation.sweep.pareto import pareto_front

POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20)


def test_by_hand() -> None:
    assert pareto_front([8, 16, 16, 32, 32], [0.9, 0.95, 0.94, 0.95, 0.97]) == (0, 1, 4)
    assert pareto_front([4, 4, 8], [0.9, 0.9, 0.9]) == (0, 1)
    assert pareto_front([], []) == ()


@given(POINTS)
def test_what_is_on_it_is_what_nothing_dominates(points: list[tuple[int, int]]) -> None:
    def dominated(p: tuple[int, int]) -> bool:
        return any(q[0] <= p[0] and q[1] >= p[1] and q != p for q in points)

    front = pareto_front([c for c, _ in points], [g for _, g in points])
    assert sorted(front) == [i for i, p in enumerate(points) if not dominated(p)]
    assert [points[i] for i in front] == sorted(points[i] for i in front)
