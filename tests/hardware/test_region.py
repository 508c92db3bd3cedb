from __future__ import annotations

from loihiconv.hardware.region import SMALLEST, Region, overlap


def test_intervals_share_what_lies_in_both() -> None:
    assert [overlap((0, 3), other) for other in ((1, 5), (2, 3), (3, 5), (4, 9), (0, 3))] == [2, 1, 0, 0, 3]


def test_neurons_of_a_box() -> None:
    assert Region((1, 3), (0, 4), (2, 7)).neurons == 2 * 4 * 5
    assert SMALLEST.neurons == 1
