"""Which step of which sample a population is in."""

from __future__ import annotations

from loihiconv.lava.window import Window, once_a_sample


def test_windows_follow_each_other_one_step_later_per_connection() -> None:
    window = Window(timesteps=3, depth=2, samples=2)
    places = [window.locate(step) for step in range(1, 11)]
    assert places == [None, None, (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), None, None]
    assert [window.is_last(step) for step in range(3)] == [False, False, True]


def test_silent_steps_come_between_a_sample_and_its_spikes() -> None:
    """T = 2 and 3 silent steps somewhere: samples follow each other every 5 steps, and only who is silent sends them later."""
    silent, others = Window(2, 0, 2, gap=3, silent=3), Window(2, 1, 2, gap=3)
    assert [silent.locate(step) for step in range(1, 9)] == [(0, 0), (0, 1), None, None, None, (1, 0), (1, 1), None]
    assert [silent.sends(step) for step in range(1, 12)] == [None, None, None, (0, 0), (0, 1), None, None, None, (1, 0), (1, 1), None]
    assert [others.locate(step) for step in range(1, 9)] == [None, (0, 0), (0, 1), None, None, None, (1, 0), (1, 1)]
    assert all(others.sends(step) == others.locate(step) for step in range(1, 12))


def test_what_is_buffered_comes_in_while_the_sample_before_is_sent() -> None:
    window = Window(2, 0, 2, silent=2)
    assert [window.locate(step) for step in range(1, 7)] == [(0, 0), (0, 1), (1, 0), (1, 1), None, None]
    assert [window.sends(step) for step in range(1, 7)] == [None, None, (0, 0), (0, 1), (1, 0), (1, 1)]


def test_a_reading_a_sample_and_when_it_arrives() -> None:
    """T = 8 at a depth of 2: last steps are 10, 18, ...; the first reading, after step 2, is of no sample."""
    reading = once_a_sample(8, 2, False)
    assert (reading.interval, reading.offset) == (8, 1)
    assert [t for t in range(1, 30) if reading.arrives(t)] == [3, 11, 19, 27]
    assert [t for t in range(1, 20) if once_a_sample(4, 4, False).arrives(t)] == [5, 9, 13, 17]  # nothing is there before the first step
    for every in (once_a_sample(8, 2, True), once_a_sample(1, 2, False)):
        assert all(every.arrives(t) for t in range(1, 5))
