"""Which step of which sample a population is in."""

from __future__ import annotations

from loihiconv.lava.window import Window


def test_windows_follow_each_other_one_step_later_per_connection() -> None:
    window = Window(timesteps=3, depth=2, samples=2)
    places = [window.locate(step) for step in range(1, 11)]
    assert places == [None, None, (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), None, None]
    assert [window.is_last(step) for step in range(3)] == [False, False, True]
