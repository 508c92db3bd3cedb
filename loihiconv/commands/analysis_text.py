"""An analysis in the terminal: verdict, waterfall, and the layers with the largest errors."""

from __future__ import annotations

from loihiconv.commands.terminal import print_table, print_verdict
from loihiconv.core import numbers as n
from loihiconv.evaluation.explain.analysis import Analysis
from loihiconv.report import sections

COLUMNS = ("relative error", "correlation", "clipped", "silent", "weight bits")
"""Columns of the layers' table that fit a terminal."""


def print_analysis(a: Analysis) -> None:
    """Print where accuracy went to standard output."""
    steps = [[s.title, n.percent(s.accuracy), "" if s.step is None else n.signed_points(s.loss), _interval(s)] for s in a.waterfall.steps]
    total = a.waterfall.total
    steps.append(["sum of all steps", "", n.signed_points(total.loss), n.interval(total.interval95)])
    print_table("Where accuracy goes, in percentage points", ["step", "accuracy", "loss", "95 % interval"], steps)
    names = [str(column["name"]) for column in sections.LAYER_COLUMNS][2:]
    kept = [names.index(name) for name in COLUMNS]
    rows = [[layer["name"], *(layer["cells"][k]["text"] for k in kept)] for layer in sections.layers(a)]
    print_table(f"Layers, on {a.waterfall.layer_samples} samples", ["layer", *COLUMNS], rows)
    print_verdict(a.diagnosis.verdict, a.diagnosis.healthy)


def _interval(step: object) -> str:
    change = getattr(step, "step", None)
    return "" if change is None else n.interval(change.interval95)
