"""Ctrl-C and SIGTERM: the first ends what is done in order, the second at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from loihiconv.commands.terminal import error

_TYPERS = 130
"""What typer makes of a KeyboardInterrupt."""


@contextmanager
def orderly() -> Iterator[None]:
    """Make a `KeyboardInterrupt` of the first SIGINT or SIGTERM, such as SLURM sends, and end the process at the second.

    What Lava has started ends by itself when its caller is gone. The exit status is 128 + the signal's number.
    """
    received: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if received:
            os._exit(128 + number)
        received.append(number)
        raise KeyboardInterrupt

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
