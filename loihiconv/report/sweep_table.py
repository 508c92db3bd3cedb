"""A sweep's rows as cells, for a terminal or for Markdown."""

from __future__ import annotations

from typing import Any

from loihiconv.evaluation.metrics import wilson
from loihiconv.evaluation.sweep.result import Outcome, Row, SweepResult
from loihiconv.report.markdown import table

SHORT = {"timesteps": "T", "per_channel": "scales", "bias_correction": "bias corr.", "input_coding": "input", "weight_bits": "bits"}
"""Headings of axes whose names are long; the others are their own."""


def sweep_table(result: SweepResult) -> str:
    """A sweep's rows as a table in Markdown, and after it why points could not be converted."""
    return "\n\n".join([table(*cells(result), left=0), *reasons(result)])


def cells(result: SweepResult) -> tuple[list[str], list[list[str]]]:
    """Headings and rows; the float network comes first, and a row that could not be converted has no figures; see `reasons`.

    Accuracy, its 95 % Wilson interval, agreement and firing rate are in per cent, losses in percentage points, ops are synaptic
    operations per sample. The front's column says for which costs no other row beats this one: T for time steps, ops for synaptic
    operations.
    """
    varied = result.varied or tuple(result.axes)
    steps, operations = set(result.front("timesteps")), set(result.front("synaptic_operations"))
    header = [*(heading(name) for name in varied), "acc. %", "95 %", "as ANN", "loss", "ops", "firing", "front"]
    ann = [*("" for _ in varied), *_share(result.ann_correct, result.n), "100.00", "", "", "", "ANN"]
    rows = [ann]
    for i, row in enumerate(result.rows):
        fronts = " ".join(name for name, front in (("T", steps), ("ops", operations)) if i in front)
        rows.append([*(value(row, name) for name in varied), *_measured(row.outcome, fronts)])
    return header, rows


def reasons(result: SweepResult) -> list[str]:
    """Why points could not be converted, a line each."""
    failed = [row for row in result.rows if row.outcome is None]
    return [", ".join(f"{heading(name)} {value(row, name)}" for name in result.axes) + f": {row.reason}" for row in failed]


def heading(name: str) -> str:
    """An axis as a table or a legend calls it."""
    return SHORT.get(name, name.replace("_", " "))


def value(row: Row, name: str) -> str:
    """A row's value on an axis; with the T that a search chose, where that is another."""
    given = shown(name, row.values[name])
    if name == "timesteps" and row.outcome is not None and row.outcome.timesteps != row.values[name]:
        return f"{given} -> {row.outcome.timesteps}"
    return given


def shown(name: str, value: Any) -> str:
    """A value on an axis as text."""
    if name == "per_channel":
        return "channel" if value else "layer"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _share(correct: int, n: int) -> list[str]:
    low, high = wilson(correct, n)
    return [f"{100 * correct / n:.2f}", f"{100 * low:.1f}-{100 * high:.1f}"]


def _measured(outcome: Outcome | None, fronts: str) -> list[str]:
    if outcome is None:
        return ["", "", "", "", "", "", "failed"]
    return [
        *_share(outcome.correct, outcome.n),
        f"{100 * outcome.agreement:.2f}",
        f"{100 * outcome.loss:.2f}",
        _count(outcome.synaptic_operations),
        f"{100 * outcome.firing_rate:.1f}",
        fronts,
    ]


def _count(number: float) -> str:
    """Three digits and a thousand or million: 450k, 1.45M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            scaled = number / size
            return f"{scaled:.{max(0, 3 - len(str(int(scaled))))}f}{unit}"
    return f"{number:.0f}"
