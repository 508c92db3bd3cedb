"""Progress bars on stderr, for commands that take long; others need not load this."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Bar:
    """A progress bar on stderr with the time left; silent where stderr is no terminal."""

    def __init__(self, name: str, total: int) -> None:
        console = Console(stderr=True, emoji=False)
        columns = (TextColumn("{task.description:<15}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._task: TaskID = self._progress.add_task(name, total=total)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def update(self, done: int, total: int) -> None:
        """So many of so many samples are done."""
        self._progress.update(self._task, completed=done, total=total)


@contextmanager
def bars() -> Iterator[Any]:
    """A progress callback (name, done, total) that shows one bar per name, of a back end or a stage."""
    current: tuple[str, Bar] | None = None

    def close() -> None:
        if current is not None:
            current[1].__exit__(None, None, None)

    def update(name: str, done: int, total: int) -> None:
        nonlocal current
        if current is None or current[0] != name:  # a terminal shows one bar at a time
            close()
            current = name, Bar(name, total).__enter__()
        current[1].update(done, total)

    try:
        yield update
    finally:
        close()
