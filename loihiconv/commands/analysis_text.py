"""An analysis in the terminal: verdict, waterfall, and the layers with the largest errors."""

from __future__ import annotations

from loihiconv.commands.terminal import print_remark, print_table
from loihiconv.core import numbers as n
from loihiconv.core.metric import Metric
from loihiconv.evaluation.explain.analysis import Analysis
from loihiconv.evaluation.pairing import PairedLoss
from loihiconv.evaluation.verdict import MARKS, Status
from loihiconv.report import sections

COLUMNS = ("relative error", "correlation", "clipped", "silent", "weight bits")
"""Columns of the layers' table that fit a terminal."""


def print_analysis(a: Analysis, survived: Status) -> None:
    """Print where accuracy went to standard output, and at the end what was found: as bad as what accuracy lost, else to be looked at."""
    total, metric, first = a.waterfall.total, a.waterfall.metric, a.waterfall.steps[0].value
    steps = [
        [s.title, n.value(metric, s.value), "" if s.step is None else n.change(metric, s.loss, first), _interval(metric, s.step, first)]
        for s in a.waterfall.steps
    ]
    steps.append(["sum of all steps", "", n.change(metric, total.loss, first), n.change_interval(metric, total.interval95, first)])
    title = f"Where {metric.title} goes" + (", in percentage points" if metric.share else "")
    print_table(title, ["step", metric.title, "change", "95 % interval"], steps)
    names = [str(column["name"]) for column in sections.LAYER_COLUMNS][2:]
    kept = [names.index(name) for name in COLUMNS]
    rows = [[layer["name"], *(layer["cells"][k]["text"] for k in kept)] for layer in sections.layers(a)]
    print_table(f"Layers, on {a.waterfall.layer_samples} samples", ["layer", *COLUMNS], rows)
    mark = MARKS["unknown" if survived == "good" else survived]
    print_remark(a.diagnosis.verdict if a.diagnosis.healthy else f"{mark} {a.diagnosis.verdict}")


def _interval(metric: Metric, step: PairedLoss | None, of: float) -> str:
    return "" if step is None else n.change_interval(metric, step.interval95, of)
