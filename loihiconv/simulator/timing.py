"""How long something takes on the processor at hand."""

from __future__ import annotations

import time
from collections.abc import Callable

TRIES = 5


def shortest(action: Callable[[], object]) -> float:
    """CPU seconds of this thread: the shortest of some tries, after one that does not count."""
    action()
    taken = []
    for _ in range(TRIES):
        begin = time.thread_time()
        action()
        taken.append(time.thread_time() - begin)
    return min(taken)
