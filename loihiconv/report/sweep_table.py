"""A sweep's rows as cells, for a terminal or for Markdown."""

from __future__ import annotations

from typing import Any

from loihiconv.core import numbers as n
from loihiconv.core.tables import Table
from loihiconv.evaluation.sweep.result import Outcome, Row, SweepResult, check_result

SHORT = {
    "timesteps": "T",
    "per_channel": "scales",
    "bias_correction": "bias corr.",
    "input_coding": "input",
    "weight_bits": "bits",
    "accuracy": "acc.",
    "sign accuracy": "sign acc.",
}
"""Headings of axes and metrics whose names are long; the others are their own."""


def sweep_table(result: SweepResult) -> str:
    """A sweep's rows as a table in Markdown, and after it why points could not be converted."""
    check_result(result)
    return "\n\n".join([Table("", *cells(result)).markdown(left=0), *reasons(result)])


def cells(result: SweepResult) -> tuple[list[str], list[list[str]]]:
    """Headings and rows; the float network comes first, and a row that could not be converted has no figures; see `reasons`.

    The task's metric, its 95 % interval, agreement and firing rate are in per cent, losses in percentage points, but for metrics in units
    of the targets; ops are synaptic operations per sample. The front's column says for which costs no other row beats this one: T for time
    steps, ops for synaptic operations.
    """
    varied = result.varied or tuple(result.axes)
    steps, operations = set(result.front("timesteps")), set(result.front("synaptic_operations"))
    header = [*(heading(name) for name in varied), _measure(result), "95 %", "as ANN", "loss", "ops", "firing", "front"]
    decides = any(row.outcome is not None and row.outcome.agreement is not None for row in result.rows)
    ann = [*("" for _ in varied), *_value(result, result.ann, result.ann95), "100.00" if decides else "", "", "", "", "ANN"]
    rows = [ann]
    for i, row in enumerate(result.rows):
        fronts = " ".join(name for name, front in (("T", steps), ("ops", operations)) if i in front)
        rows.append([*(value(row, name) for name in varied), *_measured(result, row.outcome, fronts)])
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
    return n.setting(value, none="none")


def _measure(result: SweepResult) -> str:
    """Heading of the metric."""
    return f"{SHORT.get(result.metric.title, result.metric.title)} %" if result.metric.share else result.metric.title


def _value(result: SweepResult, value: float, interval: tuple[float, float]) -> list[str]:
    low, high = interval
    if result.metric.share:
        return [n.points(value), f"{n.points(low, 1)}-{n.points(high, 1)}"]
    return [f"{value:.4g}", f"{low:.3g}-{high:.3g}"]


def _measured(result: SweepResult, outcome: Outcome | None, fronts: str) -> list[str]:
    if outcome is None:
        return ["", "", "", "", "", "", "failed"]
    return [
        *_value(result, outcome.value, outcome.interval95),
        "" if outcome.agreement is None else n.points(outcome.agreement),
        n.points(outcome.loss) if result.metric.share else f"{outcome.loss:.3g}",
        n.compact(outcome.synaptic_operations),
        n.points(outcome.firing_rate, 1),
        fronts,
    ]
