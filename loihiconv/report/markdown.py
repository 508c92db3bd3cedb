"""The tables of a report as Markdown, for issues and papers."""

from __future__ import annotations

from collections.abc import Sequence

from loihiconv.backends.registry import title_of
from loihiconv.core import numbers as n
from loihiconv.core.tables import Table
from loihiconv.evaluation.compare import Comparison
from loihiconv.evaluation.explain.analysis import Analysis
from loihiconv.report import sections


def markdown(comparison: Comparison) -> str:
    """A comparison as Markdown: accuracies, and with an analysis verdict, waterfall, layers, work and settings."""
    rows = [
        [title_of(name), n.percent(r.accuracy), n.interval(r.wilson95), n.count(r.n), n.percent(r.agreement)]
        for name, r in comparison.backends.items()
    ]
    parts = [
        "# From float network to spiking network",
        comparison.title,
        table(["back end", "accuracy", "95 % interval", "n", "as ANN"], rows),
        *comparison.saturated,
    ]
    if comparison.analysis is not None:
        parts[2:2] = [f"**{comparison.analysis.diagnosis.verdict}**"]
        parts += _explained(comparison.analysis)
    return "\n\n".join(parts) + "\n"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; the first column to the left, the others to the right."""
    return Table("", header, rows).markdown()


def _explained(a: Analysis) -> list[str]:
    chain = a.waterfall
    steps = [
        [
            s.title,
            n.percent(s.accuracy),
            "" if s.step is None else n.signed_points(s.loss),
            "" if s.step is None else n.interval(s.step.interval95),
        ]
        for s in chain.steps
    ]
    steps.append(["sum of all steps", "", n.signed_points(chain.total.loss), n.interval(chain.total.interval95)])
    columns = [str(c["name"]) for c in sections.LAYER_COLUMNS if c["name"] != "kind"]
    layers = [[layer["name"], *(cell["text"] for cell in layer["cells"])] for layer in sections.layers(a)]
    work = sections.work(a.workloads)
    settings = [[key.replace("_", " "), n.setting(value)] for key, value in a.settings.items()]
    findings = [f"- {finding.sentence}" for finding in a.diagnosis.findings[1:]]
    return [
        *(["## Further findings", "\n".join(findings)] if findings else []),
        "## Where accuracy goes",
        f"Percentage points, on the same {n.count(chain.n)} samples.",
        table(["step", "accuracy", "loss", "95 % interval"], steps),
        "## Layers",
        f"On {chain.layer_samples} samples, the largest relative error on top.",
        table(columns, layers),
        "## Work",
        table(["quantity", *work["header"]], work["rows"]),
        "## Settings",
        table(["setting", "value"], [*settings, *([k, v] for k, v in a.versions.items())]),
    ]
