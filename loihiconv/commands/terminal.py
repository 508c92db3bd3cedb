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
    from loihiconv.evaluation.compare import BackendResult, Comparison

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
    """Accuracy per back end, and whether emulator and Lava agree."""
    rows = [_row(name, result) for name, result in comparison.backends.items()]
    header = ["back end", "accuracy", "95 % interval", "n", "as ANN", "firing", "syn. ops"]
    print_table(comparison.title, header, rows)
    console = Console(highlight=False)
    for text in comparison.saturated:
        console.print("[bold red]✗[/] " + escape(text), soft_wrap=True)
    if comparison.mismatched_spikes is None:
        return
    spikes, potentials = sum(comparison.mismatched_spikes.values()), comparison.mismatched_potentials or 0
    judge = find(comparison.judge)
    samples, judged, by = comparison.backends[judge.name].n, judge.judges, judge.name.capitalize()
    if not spikes and not potentials:
        populations = len(comparison.mismatched_spikes)
        console.print(f"[bold green]✓[/] {judged} = {by}: every spike of {populations} populations and every potential, {samples} samples")
        return
    differences = [*comparison.mismatched_spikes.items(), ("readout potentials", potentials)]
    rows = [[name, n.count(count)] for name, count in differences]
    print_table(f"✗ {judged} and {by} differ on {samples} samples", ["population", "mismatches"], rows)


def print_run(title: str, backend: str, summary: Mapping[str, Any]) -> None:
    """What a run gave, in the columns of a comparison."""
    row, interval = [title_of(backend)], summary.get("wilson95")
    row += [n.share(summary["accuracy"]), n.bracketed(tuple(interval))] if interval else ["", ""]
    row += [n.count(summary["n"]), n.share(summary["firing_rate"]) if "firing_rate" in summary else ""]
    row += [n.count(summary["synaptic_operations"]) if "synaptic_operations" in summary else ""]
    print_table(title, ["back end", "accuracy", "95 % interval", "n", "firing", "syn. ops"], [row])
    for key in ("largest_payload", "realization", "profile"):
        if key in summary:
            note(f"{key.replace('_', ' ')}: {n.quantity(summary[key])}")


def print_verdict(text: str, healthy: bool) -> None:
    """The sentence that a diagnosis begins with."""
    Console(highlight=False).print(("[bold green]✓[/] " if healthy else "[bold red]✗[/] ") + escape(text), soft_wrap=True)


def _row(name: str, result: BackendResult) -> list[str]:
    rate = "" if result.firing_rate is None else n.share(result.firing_rate)
    operations = "" if result.synaptic_operations is None else n.count(result.synaptic_operations)
    shares = [n.share(result.accuracy), n.bracketed(result.wilson95)]
    return [title_of(name), *shares, n.count(result.n), n.share(result.agreement), rate, operations]
