"""The tables of a report as Markdown, for issues and papers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loihiconv.backends.registry import title_of
from loihiconv.core import numbers as n
from loihiconv.core.tables import Table
from loihiconv.evaluation.compare import Comparison
from loihiconv.evaluation.explain.analysis import Analysis
from loihiconv.report import sections
from loihiconv.report.repeat import configuration


def markdown(comparison: Comparison, given: Mapping[str, Any] | None = None) -> str:
    """A comparison as Markdown: accuracies, and with an analysis verdict, waterfall, layers, work and settings."""
    rows = [
        [title_of(name), n.value(r.metric, r.value), n.value_interval(r.metric, r.interval95), n.count(r.n), n.percent(r.agreement)]
        for name, r in comparison.backends.items()
    ]
    answers = [[a.question, a.answer, " ".join(a.details)] for a in comparison.verdict.answers]
    others = [
        [title_of(name), f.metric.title, n.value(f.metric, f.value), n.value_interval(f.metric, f.interval95)]
        for name, r in comparison.backends.items()
        for f in r.figures
    ]
    parts = [
        "# From float network to spiking network",
        f"{comparison.title}, {comparison.task}",
        f"**{comparison.verdict.title}: {comparison.verdict.worst.answer}**",
        Table("", ["question", "answer", "figures"], answers).markdown(left=3),
        table(["back end", comparison.metric.title, "95 % interval", "n", "as ANN"], rows),
        *([Table("", ["back end", "figure", "value", "95 % interval"], others).markdown(left=2)] if others else []),
        *comparison.saturated,
    ]
    if comparison.analysis is not None:
        further = [f"- {text}" for text in comparison.further]
        parts += ["## Further findings", "\n".join(further)] if further else []
        parts += [comparison.analysis.diagnosis.verdict] if comparison.analysis.diagnosis.healthy else []
        parts += _explained(comparison.analysis)
        parts += ["## To repeat it", f"```yaml\n{configuration(comparison, given or {})}```"]
    return "\n\n".join(parts) + "\n"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; the first column to the left, the others to the right."""
    return Table("", header, rows).markdown()


def _explained(a: Analysis) -> list[str]:
    chain, metric = a.waterfall, a.waterfall.metric
    first = chain.steps[0].value
    steps = [
        [
            s.title,
            n.value(metric, s.value),
            "" if s.step is None else n.change(metric, s.loss, first),
            "" if s.step is None else n.change_interval(metric, s.step.interval95, first),
        ]
        for s in chain.steps
    ]
    total = [n.change(metric, chain.total.loss, first), n.change_interval(metric, chain.total.interval95, first)]
    steps.append(["sum of all steps", "", *total])
    columns = [str(c["name"]) for c in sections.LAYER_COLUMNS if c["name"] != "kind"]
    layers = [[layer["name"], *(cell["text"] for cell in layer["cells"])] for layer in sections.layers(a)]
    work = sections.work(a.workloads)
    settings = [[key.replace("_", " "), n.setting(value)] for key, value in a.settings.items()]
    return [
        f"## Where {metric.title} goes",
        f"{'Percentage points, on' if metric.share else 'On'} the same {n.count(chain.n)} samples.",
        table(["step", metric.title, "change", "95 % interval"], steps),
        "## Layers",
        f"On {chain.layer_samples} samples, the largest relative error on top.",
        table(columns, layers),
        "## Work",
        table(["quantity", *work["header"]], work["rows"]),
        "## Settings",
        table(["setting", "value"], [*settings, *([k, v] for k, v in a.versions.items())]),
    ]
