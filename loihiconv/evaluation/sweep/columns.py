"""A sweep's axes and outcomes as cells of a table."""

from __future__ import annotations

from typing import Any

from loihiconv.core import numbers as n
from loihiconv.core.metric import Metric
from loihiconv.evaluation.sweep.outcome import Outcome, Row

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


def heading(name: str) -> str:
    """An axis as a table or a legend calls it."""
    return SHORT.get(name, name.replace("_", " "))


def value(row: Row, name: str) -> str:
    """A row's value on an axis; with the T that a search chose, where that is another."""
    given = axis_value(name, row.values[name])
    if name == "timesteps" and row.outcome is not None:
        silent = 0 if row.settings.get("buffered") else int(row.settings.get("silent_steps", 0))
        chosen = row.outcome.timesteps - silent
        return given if chosen == row.values[name] else f"{given} -> {chosen}"
    return given


def axis_value(name: str, value: Any) -> str:
    """A value on an axis as text."""
    if name == "per_channel":
        return "channel" if value else "layer"
    return n.setting(value, none="none")


def measure(metric: Metric) -> str:
    """Heading of a metric."""
    return f"{SHORT.get(metric.title, metric.title)} %" if metric.share else metric.title


def measured(metric: Metric, value: float) -> str:
    """A metric: shares in per cent, as the heading says."""
    return n.points(value) if metric.share else f"{value:.4g}"


def measured_interval(metric: Metric, interval: tuple[float, float]) -> str:
    """The same of its interval."""
    low, high = interval
    return f"{n.points(low, 1)}-{n.points(high, 1)}" if metric.share else f"{low:.3g}-{high:.3g}"


def outcome_cells(metric: Metric, outcome: Outcome | None, fronts: str) -> list[str]:
    """Metric, interval, agreement, loss, operations, firing rate and fronts of a row."""
    if outcome is None:
        return ["", "", "", "", "", "", "failed"]
    return [
        measured(metric, outcome.value),
        measured_interval(metric, outcome.interval95),
        "" if outcome.agreement is None else n.points(outcome.agreement),
        n.points(outcome.loss) if metric.share else f"{outcome.loss:.3g}",
        n.compact(outcome.synaptic_operations),
        n.points(outcome.firing_rate, 1),
        fronts,
    ]
