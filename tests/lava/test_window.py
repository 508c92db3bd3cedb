"""Which step of which sample a population is in."""

from __future__ import annotations

from loihiconv.lava.window import Window


def test_windows_follow_each_other_one_step_later_per_connection() -> None:
    window = Window(timesteps=3, depth=2, samples=2)
    places = [window.locate(step) for step in range(1, 11)]
    assert places == [None, None, (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), None, None]
    assert [window.is_last(step) for step in range(3)] == [False, False, True]


def test_silent_steps_lengthen_the_window_of_the_population_that_has_them() -> None:
    """T = 2 and 3 silent steps somewhere: samples follow each other every 5 steps, and only who is silent works in all of them."""
    silent, others = Window(2, 0, 2, gap=3, silent=3), Window(2, 1, 2, gap=3)
    assert [silent.locate(step) for step in range(1, 12)] == [*((k, t) for k in range(2) for t in range(5)), None]
    assert [others.locate(step) for step in range(1, 9)] == [None, (0, 0), (0, 1), None, None, None, (1, 0), (1, 1)]
    assert [silent.is_last(step) for step in range(5)] == [False] * 4 + [True]
