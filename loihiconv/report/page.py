"""The HTML page: everything in one file, for any browser, screen, printer and screen reader."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from loihiconv.backends.registry import ANN, title_of
from loihiconv.core import numbers as n
from loihiconv.core.version import __version__
from loihiconv.evaluation.compare import Comparison
from loihiconv.evaluation.explain.analysis import Analysis
from loihiconv.evaluation.result import small
from loihiconv.report import plots, sections
from loihiconv.report.repeat import configuration

SECTIONS = {
    "summary": "Summary",
    "layers": "Layers",
    "time": "Time and classes",
    "activity": "Activity and work",
    "ranges": "Ranges",
    "board": "Board",
    "repeat": "Repeat",
}


def page(comparison: Comparison, given: Mapping[str, Any] | None = None) -> str:
    """A comparison as an HTML page.

    Parameters
    ----------
    comparison : Comparison
        With an analysis (``compare(..., explain=True)``), or with accuracies alone.
    given : {key: value}, optional
        What `loihiconv.report.repeat.configuration` adds to its settings.

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
        configuration=configuration(comparison, given or {}),
        title="From float network to spiking network",
        subtitle=_subtitle(comparison),
        sections=[item for item in SECTIONS.items() if item[0] in shown],
        accuracy=_accuracy(comparison),
        verdict=comparison.verdict,
        further=comparison.further,
        others=_others(comparison),
        class_figures=sections.parts_of(comparison),
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
    return f"{comparison.title.replace('_', ' ')}, {comparison.task}, {n.count(comparison.backends[ANN].n)} test samples"


def _accuracy(comparison: Comparison) -> Mapping[str, Any]:
    results, metric = comparison.backends, comparison.metric
    telling = [result.interval95 for result in results.values() if not small(result, results)]
    low, high = min(pair[0] for pair in telling), max(pair[1] for pair in telling)
    margin = 0.06 * (high - low)
    low, high = max(0.0, low - margin), high + margin
    high = min(1.0, high) if metric.share else high
    rows = []
    for name, result in results.items():
        few = small(result, results)
        agreement = n.NONE if name == ANN or result.agreement is None else n.percent(result.agreement)
        rows.append(
            {
                "name": title_of(name),
                "value": n.value(metric, result.value),
                "interval": n.value_interval(metric, result.interval95),
                "mark": "" if few or high <= low else plots.mark(result.value, result.interval95, low, high),
                "n": n.count(result.n),
                "few": few,
                "agreement": agreement,
            }
        )
    return {
        "metric": metric.title,
        "decides": any(result.agreement is not None for result in results.values()),
        "how": "95 % Wilson intervals" if metric.counted else "95 % intervals by drawing samples again",
        "low": n.percent(low, 1) if metric.share else n.number(low),
        "high": n.percent(high, 1) if metric.share else n.number(high),
        "rows": rows,
    }


def _others(comparison: Comparison) -> dict[str, Any] | None:
    """Figures beside the task's own metric, a column each; None where there are none."""
    ran = {name: result.figures for name, result in comparison.backends.items() if result.figures}
    if not ran:
        return None
    rows = []
    for name, figures in ran.items():
        few = small(comparison.backends[name], comparison.backends)
        cells = [(n.value(f.metric, f.value), "" if few else n.value_interval(f.metric, f.interval95)) for f in figures]
        rows.append({"name": title_of(name), "cells": cells})
    return {"header": [figure.metric.title for figure in next(iter(ran.values()))], "rows": rows}


def _asset(name: str) -> str:
    return files("loihiconv.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Any:
    loader = PackageLoader("loihiconv", "report")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("page.html.j2")
