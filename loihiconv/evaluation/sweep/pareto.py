"""What no other point beats: the Pareto front of a cost against a gain."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf


def pareto_front(costs: Sequence[float], gains: Sequence[float]) -> tuple[int, ...]:
    """Indices of points that no other point dominates, cheapest first.

    A point dominates another if it costs no more, gains no less, and is better in one of the two. Points of equal cost and
    gain do not dominate each other: all of them are on the front, or none.

    Parameters
    ----------
    costs, gains : sequences of float
        As many, none of them NaN.
    """
    front: list[int] = []
    best = (inf, -inf)
    for i in sorted(range(len(costs)), key=lambda i: (costs[i], -gains[i], i)):
        if gains[i] > best[1] or (costs[i], gains[i]) == best:
            front.append(i)
            best = (costs[i], gains[i])
    return tuple(front)
