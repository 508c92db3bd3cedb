"""What a person sees in the terminal: tables on stdout, remarks on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TextIO

import rich.table
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape

from loihiconv.backends.registry import title_of
from loihiconv.core import numbers as n
from loihiconv.core.tables import Shown, Table, together

if TYPE_CHECKING:
    from loihiconv.conversion.check import Check
    from loihiconv.core.record import Trial
    from loihiconv.evaluation.compare import Comparison
    from loihiconv.evaluation.result import BackendResult

MARKS = {"✓": "bold green", "✗": "bold red", "!": "bold yellow", "?": "yellow"}

WHOLE = 24
"""Characters up to which names in a first column stay on one line; the other columns give way."""

_RESULTS: ContextVar[TextIO | None] = ContextVar("results", default=None)


@contextmanager
def results_alone() -> Iterator[None]:
    """Stdout for `print_json` alone: what anything else prints meanwhile, such as a user's factory, goes to stderr.

    So does what is written past Python's streams, by libraries in C and by programs that are started.
    """
    with _descriptor_of_results() as out:
        token = _RESULTS.set(out)
        try:
            with redirect_stdout(sys.stderr):
                yield
        finally:
            _RESULTS.reset(token)


@contextmanager
def _descriptor_of_results() -> Iterator[TextIO]:
    """Stdout under another descriptor while its own, 1, is stderr's; as it is where nothing has descriptors, as in notebooks."""
    try:
        own = (sys.stdout.fileno(), sys.stderr.fileno()) == (1, 2)
    except (OSError, AttributeError, ValueError):  # ValueError: closed
        own = False
    if not own:
        yield sys.stdout
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with open(kept, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors, closefd=False) as out:
            yield out
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def print_json(value: Any) -> None:
    """JSON and nothing else on stdout."""
    out = _RESULTS.get() or sys.stdout
    json.dump(value, out, indent=2, allow_nan=False)
    out.write("\n")
    out.flush()


def note(text: str) -> None:
    """A remark on stderr."""
    _print(Console(stderr=True, highlight=False, emoji=False), f"[yellow]{escape(text)}[/]")


def error(text: str) -> None:
    """An error on stderr, on one line."""
    _print(Console(stderr=True, highlight=False, emoji=False), "[bold red]error:[/] " + escape(text))


def _print(console: Console, text: str) -> None:
    """Between words a terminal's lines break; for programs they stay whole."""
    console.print(text, soft_wrap=not console.is_terminal)


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, stderr: bool = False) -> None:
    """A table on stdout, or stderr; the first column to the left, numbers to the right.

    Where it is too wide, columns stand closer together, and then long cells take several lines.
    """
    shown = Table(title, header, rows)
    console = Console(highlight=False, stderr=stderr, emoji=False)
    widths = [max(cell_len(line[i]) for line in (header, *rows)) for i in range(len(header))]
    apart = sum(widths) + 2 * len(widths) <= console.width
    if title:  # on a line of its own: above a narrow table it would wrap
        _print(console, f"[bold]{escape(title)}[/]")
    table = rich.table.Table(
        box=SIMPLE_HEAD,
        show_header=any(header),
        pad_edge=False,
        padding=(0, int(apart)),
        collapse_padding=True,
    )
    for i, name in enumerate(header):
        whole = i == 0 and widths[0] <= WHOLE
        table.add_column(escape(name), justify="right" if shown.numeric(i) else "left", overflow="fold", no_wrap=whole)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


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
    for text in (*(f"✗ {problem}" for problem in check.problems), *(["✓ can be converted"] if check.ok else [])):
        print_remark(text)


def print_remark(text: str) -> None:
    """A line on stdout, whose mark at the beginning is coloured."""
    mark, _, rest = text.partition(" ")
    coloured = f"[{MARKS[mark]}]{mark}[/] {escape(rest)}" if mark in MARKS else escape(text)
    _print(Console(highlight=False, emoji=False), coloured)


def print_comparison(comparison: Comparison) -> None:
    """How each back end does at the task, and whether emulator and Lava agree."""
    print_tables(comparison)
    for text in comparison.remarks():
        print_remark(text)


def print_run(title: str, backend: str, summary: Mapping[str, Any], judged: BackendResult | None = None) -> None:
    """What a run gave, in the columns of a comparison where it is judged; what else there is in notes."""
    if judged is not None:
        from loihiconv.evaluation.result import result_tables

        for table in result_tables(f"{title}: {summary['task']}", {backend: judged}):
            print_table(table.title, table.header, table.rows)
    else:
        row = [title_of(backend), n.count(summary["n"])]
        row += [n.share(summary["firing_rate"]) if "firing_rate" in summary else ""]
        row += [n.count(summary["synaptic_operations"]) if "synaptic_operations" in summary else ""]
        print_table(title, ["back end", "n", "firing", "syn. ops"], [row])
    for key in ("largest_payload", "realization", "profile"):
        if key in summary:
            note(f"{key.replace('_', ' ')}: {n.quantity(summary[key])}")
