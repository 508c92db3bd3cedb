"""What a person sees in the terminal: tables on stdout, progress and remarks on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from loihiconv.conversion.check import Check
from loihiconv.core.record import Trial
from loihiconv.evaluation.compare import BackendResult, Comparison

NUMBER = re.compile(r"\[?[-\d., ]+\]?( %)?")
NAMES = {"ann": "float ANN", "float": "float SNN", "emulator": "emulator", "lava": "Lava CPU"}


def print_json(value: Any) -> None:
    """JSON and nothing else on stdout."""
    json.dump(value, sys.stdout, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def note(text: str) -> None:
    """A remark on stderr."""
    Console(stderr=True, highlight=False).print(escape(text), style="yellow", soft_wrap=True)


def error(text: str) -> None:
    """An error on stderr, on one line."""
    Console(stderr=True, highlight=False).print("[bold red]error:[/] " + escape(text), soft_wrap=True)


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, stderr: bool = False) -> None:
    """A table on stdout, or stderr; the first column to the left, numbers to the right."""
    table = Table(title=escape(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for i, name in enumerate(header):
        numeric = all(NUMBER.fullmatch(row[i]) for row in rows if row[i])
        table.add_column(escape(name), justify="right" if i and numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console(highlight=False, stderr=stderr).print(table)


def print_search(trials: Sequence[Trial]) -> None:
    """What a search tried and what each step bought, on stderr."""
    rows = []
    for trial in trials:
        changed = ", ".join(f"{name}={shown(value)}" for name, value in trial.changed.items()) or "as given"
        kept = "kept" if trial.kept else ""
        rows.append([trial.step, changed, str(trial.timesteps), f"{trial.agreement:.2%}", f"{trial.divergence:.4f}", kept])
    print_table("Search on calibration samples", ["step", "tried", "T", "as ANN", "divergence", ""], rows, stderr=True)


def print_check(check: Check) -> None:
    """The findings of a dry run."""
    if check.layers:
        rows = [[c.name, c.kind, "x".join(map(str, c.shape)), f"{c.neurons:,}", f"{c.weights:,}"] for c in check.layers]
        print_table("Populations", ["name", "kind", "shape", "neurons", "weights"], rows)
    for text in check.notes:
        note(text)
    console = Console(highlight=False)
    for text in check.problems:
        console.print("[bold red]✗[/] " + escape(text), soft_wrap=True)
    if check.ok:
        console.print("[bold green]✓[/] can be converted")


def print_comparison(comparison: Comparison) -> None:
    """Accuracy per back end, and whether emulator and Lava agree."""
    rows = [_row(name, result) for name, result in comparison.backends.items()]
    header = ["back end", "accuracy", "95 % interval", "n", "as ANN", "firing", "syn. ops"]
    print_table(comparison.title, header, rows)
    if comparison.mismatched_spikes is None:
        return
    spikes, potentials = sum(comparison.mismatched_spikes.values()), comparison.mismatched_potentials or 0
    n = comparison.backends["lava"].n
    console = Console(highlight=False)
    if not spikes and not potentials:
        populations = len(comparison.mismatched_spikes)
        console.print(f"[bold green]✓[/] emulator = Lava: every spike of {populations} populations and every potential, {n} samples")
        return
    differences = [*comparison.mismatched_spikes.items(), ("readout potentials", potentials)]
    rows = [[name, f"{count:,}"] for name, count in differences]
    print_table(f"✗ emulator and Lava differ on {n} samples", ["population", "mismatches"], rows)


def print_verdict(text: str, healthy: bool) -> None:
    """The sentence that a diagnosis begins with."""
    Console(highlight=False).print(("[bold green]✓[/] " if healthy else "[bold red]✗[/] ") + escape(text), soft_wrap=True)


def _row(name: str, result: BackendResult) -> list[str]:
    low, high = result.wilson95
    rate = "" if result.firing_rate is None else f"{100 * result.firing_rate:.2f} %"
    operations = "" if result.synaptic_operations is None else f"{result.synaptic_operations:,.0f}"
    shares = [f"{100 * result.accuracy:.2f} %", f"[{100 * low:.2f}, {100 * high:.2f}]"]
    return [NAMES.get(name, name), *shares, f"{result.n:,}", f"{100 * result.agreement:.2f} %", rate, operations]


class Bar:
    """A progress bar on stderr with the time left; silent where stderr is no terminal."""

    def __init__(self, name: str, total: int) -> None:
        console = Console(stderr=True)
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


def shown(value: Any) -> str:
    """A number, interval or text as a table shows it."""
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, list):
        return " to ".join(f"{v:.4f}" for v in value)
    return str(value)
