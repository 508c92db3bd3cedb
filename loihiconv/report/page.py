"""The HTML page: everything in one file, for any browser, screen, printer and screen reader."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from loihiconv.backends.registry import ANN, find, title_of
from loihiconv.core import numbers as n
from loihiconv.core.version import __version__
from loihiconv.evaluation.compare import Comparison
from loihiconv.evaluation.explain.analysis import Analysis
from loihiconv.report import plots, sections

SECTIONS = {
    "summary": "Summary",
    "layers": "Layers",
    "time": "Time and classes",
    "activity": "Activity and work",
    "ranges": "Ranges",
    "board": "Board",
    "repeat": "Repeat",
}


def page(comparison: Comparison) -> str:
    """A comparison as an HTML page.

    Parameters
    ----------
    comparison : Comparison
        With an analysis (``compare(..., explain=True)``), or with accuracies alone.

    Returns
    -------
    str
        The same for the same comparison; it loads nothing from anywhere.
    """
    a = comparison.analysis
    context: dict[str, Any] = {} if a is None else _explained(a)
    shown = {"summary"} | ({"layers", "time", "activity", "repeat"} if a else set())
    shown |= {name for name in ("ranges", "board") if context.get(name)}
    html: str = _template().render(
        **{"ranges": None, "board": None, **context},
        a=a,
        title="From float network to spiking network",
        subtitle=_subtitle(comparison),
        sections=[item for item in SECTIONS.items() if item[0] in shown],
        accuracy=_accuracy(comparison),
        judged=_judged(comparison),
        saturated=comparison.saturated,
        style=Markup(_asset("style.css")),
        script=Markup(_asset("script.js")),
        version=__version__,
        count=n.count,
    )
    return html


def _explained(a: Analysis) -> dict[str, Any]:
    """What the template shows of an analysis."""
    return {
        "chain": sections.chain(a.waterfall),
        "glance": sections.glance(a),
        "layer_columns": sections.LAYER_COLUMNS,
        "layers": sections.layers(a),
        "heat": sections.heat(a.waterfall),
        "parts": sections.parts(a),
        "time": sections.time(a),
        **sections.classes(a),
        "last": a.waterfall.steps[-1].title,
        "work": sections.work(a.workloads),
        "rasters": [
            {
                "title": raster.population,
                "note": f"{len(raster.neurons)} of its neurons",
                "svg": plots.raster(raster, i, raster.spikes.shape[1]),
            }
            for i, raster in enumerate(a.rasters)
        ],
        "ranges": sections.ranges(a),
        "board": sections.board(a),
        "settings": [(key.replace("_", " "), n.setting(value)) for key, value in a.settings.items()],
        "versions": list(a.versions.items()),
    }


def _subtitle(comparison: Comparison) -> str:
    return f"{comparison.title.replace('_', ' ')}, {n.count(comparison.backends[ANN].n)} test samples"


def _accuracy(comparison: Comparison) -> Mapping[str, Any]:
    results = comparison.backends
    low = min(result.wilson95[0] for result in results.values())
    high = max(result.wilson95[1] for result in results.values())
    margin = 0.06 * (high - low)
    low, high = max(0.0, low - margin), min(1.0, high + margin)
    rows = [
        {
            "name": title_of(name),
            "accuracy": n.percent(result.accuracy),
            "interval": n.interval(result.wilson95),
            "mark": plots.mark(result.accuracy, result.wilson95, low, high),
            "n": n.count(result.n),
            "agreement": n.percent(result.agreement) if name != ANN else n.NONE,
        }
        for name, result in results.items()
    ]
    return {"low": n.percent(low, 1), "high": n.percent(high, 1), "rows": rows}


def _judged(comparison: Comparison) -> str:
    if comparison.mismatched_spikes is None:
        return ""
    judge = find(comparison.judge)
    pair = f"{judge.judges.capitalize()} and {judge.name.capitalize()}"
    spikes, samples = sum(comparison.mismatched_spikes.values()), comparison.backends[judge.name].n
    if not spikes and not comparison.mismatched_potentials:
        populations = len(comparison.mismatched_spikes)
        return f"{pair} agree on every spike of {populations} populations and every potential, {samples} samples."
    where = ", ".join(f"{name}: {n.count(count)}" for name, count in comparison.mismatched_spikes.items() if count)
    potentials = comparison.mismatched_potentials or 0
    return f"{pair} differ on {samples} samples: spikes {where or 'none'}; readout potentials {n.count(potentials)}."


def _asset(name: str) -> str:
    return files("loihiconv.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Any:
    loader = PackageLoader("loihiconv", "report")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("page.html.j2")
