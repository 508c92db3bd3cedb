"""Ctrl-C and SIGTERM: the first ends what is done in order, the second at once."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from loihiconv.commands.terminal import error

SAME_SECONDS = 0.5
"""Signals within this time are one: SLURM and `timeout` send theirs to a process and to its group."""
_TYPERS = 130
"""What typer makes of a KeyboardInterrupt."""


@contextmanager
def orderly() -> Iterator[None]:
    """Make a `KeyboardInterrupt` of the first SIGINT or SIGTERM, such as SLURM sends, and end the process at the second.

    What Lava has started ends by itself when its caller is gone. The exit status is 128 + the signal's number.
    """
    received: list[int] = []
    asked: list[float] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if not received:
            received.append(number)
            asked.append(time.monotonic())
            raise KeyboardInterrupt
        if time.monotonic() - asked[0] > SAME_SECONDS:
            os._exit(128 + number)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as ended:
        if isinstance(ended, SystemExit) and ended.code != _TYPERS:
            raise
        number = received[0] if received else signal.SIGINT
        error("interrupted" if number == signal.SIGINT else "ended by SIGTERM")
        sys.exit(128 + number)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
