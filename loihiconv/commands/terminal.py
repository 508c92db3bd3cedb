"""What a person sees in the terminal: tables on stdout, remarks on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TextIO

import rich.table
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape

from loihiconv.backends.registry import find, title_of
from loihiconv.core import numbers as n
from loihiconv.core.tables import Shown, Table, together

if TYPE_CHECKING:
    from loihiconv.conversion.check import Check
    from loihiconv.core.record import Trial
    from loihiconv.evaluation.compare import Comparison
    from loihiconv.evaluation.result import BackendResult
    from loihiconv.evaluation.tasks.metric import Figure

MARKS = {"good": "[bold green]✓[/]", "unknown": "[dim]?[/]", "warn": "[bold yellow]![/]", "bad": "[bold red]✗[/]"}

_RESULTS: ContextVar[TextIO | None] = ContextVar("results", default=None)


@contextmanager
def results_alone() -> Iterator[None]:
    """Stdout for `print_json` alone: what anything else prints meanwhile, such as a user's factory, goes to stderr."""
    token = _RESULTS.set(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _RESULTS.reset(token)


def print_json(value: Any) -> None:
    """JSON and nothing else on stdout."""
    out = _RESULTS.get() or sys.stdout
    json.dump(value, out, indent=2, allow_nan=False)
    out.write("\n")


def note(text: str) -> None:
    """A remark on stderr."""
    Console(stderr=True, highlight=False).print(escape(text), style="yellow", soft_wrap=True)


def error(text: str) -> None:
    """An error on stderr, on one line."""
    Console(stderr=True, highlight=False).print("[bold red]error:[/] " + escape(text), soft_wrap=True)


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, stderr: bool = False) -> None:
    """A table on stdout, or stderr; the first column to the left, numbers to the right."""
    shown = Table(title, header, rows)
    table = rich.table.Table(
        title=escape(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )
    for i, name in enumerate(header):
        table.add_column(escape(name), justify="right" if shown.numeric(i) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console(highlight=False, stderr=stderr).print(table)


def print_tables(shown: Shown, title: str = "") -> None:
    """The tables of a value, the first one under another title if one is given."""
    for table in shown.tables():
        print_table(title or table.title, table.header, table.rows)
        title = ""


def print_search(trials: Sequence[Trial]) -> None:
    """What a search tried and what each step bought, on stderr."""
    rows = []
    for trial in trials:
        changed = ", ".join(f"{name}={n.quantity(value)}" for name, value in trial.changed.items()) or "as given"
        kept = "kept" if trial.kept else ""
        rows.append([trial.step, changed, str(trial.timesteps), n.share(trial.agreement), n.decimal(trial.divergence, 4), kept])
    print_table("Search on calibration samples", ["step", "tried", "T", "as ANN", "divergence", ""], rows, stderr=True)


def print_check(check: Check) -> None:
    """The findings of a dry run."""
    print_tables(check)
    for text in together(check.notes):
        note(text)
    console = Console(highlight=False)
    for text in check.problems:
        console.print("[bold red]✗[/] " + escape(text), soft_wrap=True)
    if check.ok:
        console.print("[bold green]✓[/] can be converted")


def print_comparison(comparison: Comparison) -> None:
    """How each back end does at the task, and whether emulator and Lava agree."""
    metric = comparison.metric
    columns = [["back end", metric.title, "95 % interval", "n", "as ANN", "firing", "syn. ops"]]
    columns += [_row(name, result) for name, result in comparison.backends.items()]
    kept = [i for i in range(len(columns[0])) if any(row[i] for row in columns[1:])]
    header, *rows = [[row[i] for i in kept] for row in columns]
    print_table(f"{comparison.title}: {comparison.task}", header, rows)
    if others := [[title_of(name), *_figure(f)] for name, result in comparison.backends.items() for f in result.figures]:
        print_table("Other figures", ["back end", "figure", "value", "95 % interval"], others)
    console = Console(highlight=False)
    for text in comparison.saturated:
        console.print("[bold red]✗[/] " + escape(text), soft_wrap=True)
    for answer in comparison.verdict.answers:
        console.print(f"{MARKS[answer.status]} {escape(' '.join((answer.question, answer.answer + '.', *answer.details)))}", soft_wrap=True)
    spikes, potentials = comparison.mismatched_spikes or {}, comparison.mismatched_potentials or 0
    if sum(spikes.values()) or potentials:
        judge = find(comparison.judge)
        rows = [[name, n.count(count)] for name, count in [*spikes.items(), ("readout potentials", potentials)]]
        samples = comparison.backends[judge.name].n
        print_table(f"✗ {judge.judges} and {judge.name.capitalize()} differ on {samples} samples", ["population", "mismatches"], rows)


def print_run(title: str, backend: str, summary: Mapping[str, Any]) -> None:
    """What a run gave, in the columns of a comparison."""
    figures = {
        key: value for key, value in summary.items() if key not in ("backend", "n", "timesteps", "firing_rate", "synaptic_operations")
    }
    row, header = [title_of(backend)], ["back end"]
    interval = figures.pop("wilson95", None)
    if interval is not None and "accuracy" in figures:
        header += ["accuracy", "95 % interval"]
        row += [n.share(figures.pop("accuracy")), n.bracketed(tuple(interval))]
    header += ["n", "firing", "syn. ops"]
    row += [n.count(summary["n"]), n.share(summary["firing_rate"]) if "firing_rate" in summary else ""]
    row += [n.count(summary["synaptic_operations"]) if "synaptic_operations" in summary else ""]
    print_table(title, header, [row])
    for key, value in figures.items():
        note(f"{key.replace('_', ' ')}: {n.quantity(value)}")


def print_diagnosis(text: str, healthy: bool) -> None:
    """The sentence that a diagnosis begins with."""
    Console(highlight=False).print(("" if healthy else "[bold red]✗[/] ") + escape(text), soft_wrap=True)


def _row(name: str, result: BackendResult) -> list[str]:
    rate = "" if result.firing_rate is None else n.share(result.firing_rate)
    operations = "" if result.synaptic_operations is None else n.count(result.synaptic_operations)
    agreement = "" if result.agreement is None else n.share(result.agreement)
    measured = [n.figure(result.metric, result.value), n.figure_interval(result.metric, result.interval95)]
    return [title_of(name), *measured, n.count(result.n), agreement, rate, operations]


def _figure(figure: Figure) -> list[str]:
    return [figure.metric.title, n.figure(figure.metric, figure.value), n.figure_interval(figure.metric, figure.interval95)]
