"""The shortest of some tries, the first of which does not count."""

from __future__ import annotations

import time

import pytest

from loihiconv.simulator.timing import TRIES, shortest


def test_the_shortest_try_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    durations, clock = iter([0, 7, 5, 3, 6, 9]), [0.0]

    def action() -> None:
        clock[0] += next(durations)

    monkeypatch.setattr(time, "thread_time", lambda: clock[0])
    assert TRIES == 5
    assert shortest(action) == 3
