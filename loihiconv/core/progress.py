"""Progress bars: a line on a terminal, an element in a notebook, and nothing where neither sees them."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from html import escape
from types import TracebackType
from typing import Any

from loihiconv.core.given import check_callable
from loihiconv.core.numbers import count

PAUSE = 0.1
"""Seconds between two pictures of a bar."""
UNKNOWN = 80
"""Columns of a terminal that does not say."""
LONGEST = 40
"""Characters of a bar."""


class Bars:
    """A callback (stage, done, in all), or (done, in all), that shows a bar for one stage after the other.

    It has no thread and hides no cursor, so that an error in the middle leaves nothing behind; as a context manager it also takes its last
    line off a terminal.
    """

    def __init__(self) -> None:
        self._show = _in_notebook() or _on_terminal()
        self._finished: list[str] = []
        self._stage, self._begin, self._next = "", 0.0, 0.0

    def __call__(self, *what: Any) -> None:
        """So many of so many are done, of a stage that may have a name; 0 in all where nobody knows."""
        if self._show is None:
            return
        *stage, done, total = what
        name, now = str(stage[0]) if stage else "samples", time.monotonic()
        if name != self._stage or not self._begin:
            self._stage, self._begin, self._next = name, now, now
        if now < self._next and done < total:
            return
        self._next = now + PAUSE
        self._show(name, done, total, now - self._begin)
        if done >= total > 0:
            self._begin = 0.0

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(self._show, _Line):
            self._show.clear()


def reporting(progress: Callable[..., None] | bool | None) -> Callable[..., None] | None:
    """The callback that is called: what was given, or bars for True.

    Raises
    ------
    InvalidSetting
        For what is neither a function nor True, False or None.
    """
    if progress is None or progress is False:
        return None
    if progress is True:
        return Bars()
    check_callable(progress, "progress")
    return progress


def spent(done: int, total: int, seconds: float) -> str:
    """How far, since when, and how much longer at that pace."""
    of = f"{count(done)} of {count(total)}" if total else count(done)
    left = f", {_time(seconds * (total - done) / done)} left" if 0 < done < total else ""
    return f"{of}, {_time(seconds)}{left}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"


class _Line:
    """The last line of a terminal."""

    def __init__(self) -> None:
        self._width = 0

    def __call__(self, name: str, done: int, total: int, seconds: float) -> None:
        if done >= total > 0:
            self.clear()
            return
        columns = (shutil.get_terminal_size().columns or UNKNOWN) - 1
        text = f"{name:<15} ", f" {spent(done, total, seconds)}"
        longest = max(0, min(LONGEST, columns - sum(map(len, text))))
        filled = round(longest * min(1.0, done / total)) if total else 0
        line = f"{text[0]}{'━' * filled}{'╌' * (longest - filled)}{text[1]}"[:columns]
        print(f"\r{line:<{self._width}}", end="", file=sys.stderr, flush=True)
        self._width = len(line)

    def clear(self) -> None:
        """Take it away."""
        if self._width:
            print(f"\r{'':<{self._width}}\r", end="", file=sys.stderr, flush=True)
            self._width = 0


class _Element:
    """A part of a notebook's cell, with a line for each stage."""

    def __init__(self, display: Any) -> None:
        self._display, self._handle = display, None
        self._lines: dict[str, str] = {}

    def __call__(self, name: str, done: int, total: int, seconds: float) -> None:
        of = f'value="{done}" max="{total}"' if total else ""
        bar = "" if done >= total > 0 else f' <progress {of} style="width:16em;vertical-align:middle"></progress>'
        self._lines[name] = f"<div>{escape(name)}{bar} {escape(spent(done, total, seconds))}</div>"
        element = self._display.HTML("".join(self._lines.values()))
        if self._handle is None:
            self._handle = self._display.display(element, display_id=True)
        else:
            self._handle.update(element)


def _in_notebook() -> _Element | None:
    """Only a kernel of Jupyter's has loaded IPython and has a kernel."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    display = sys.modules.get("IPython.display")
    return _Element(display) if hasattr(shell, "kernel") and display is not None else None


def _on_terminal() -> _Line | None:
    return _Line() if sys.stderr is not None and sys.stderr.isatty() else None
