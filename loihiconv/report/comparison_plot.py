"""A comparison as a figure: how back ends did and, where it was explained, what each step changed, when, and in which layer."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from loihiconv.backends.registry import ANN, title_of
from loihiconv.core import numbers as n
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import shown
from loihiconv.core.metric import Metric
from loihiconv.evaluation.compare import Comparison
from loihiconv.evaluation.explain.analysis import Analysis
from loihiconv.evaluation.explain.layers import relative
from loihiconv.evaluation.result import small
from loihiconv.report.figures import check_figure, new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY, DARK = "#0072B2", "#D55E00", "#9a9a9a", "#333333"
"""Told apart by colour-blind readers too (Okabe and Ito 2008)."""
WIDTH = 9.0
ROW = 0.24
"""Of a back end, a step or a layer, in inches."""
FRAME = 1.15
"""Of a panel around its rows: title, ticks and labels."""


def plot_comparison(comparison: Comparison, path: str | os.PathLike[str] | None = None) -> Figure:
    """Draw a comparison.

    Without ``explain`` it is one panel: the task's metric of each back end, with its 95 % interval. With it there are four: also what
    each step of the conversion changed, with paired intervals; the metric after each time step; and every layer's error after each step,
    root mean square of rate minus activation as a share of the activations'.

    Parameters
    ----------
    comparison : Comparison
    path : path, optional
        ``.png``, ``.svg`` or ``.pdf`` to write, atomically.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidSetting
        For what is no comparison, or a path that cannot be.
    BackendUnavailable
        Without matplotlib.
    """
    if not isinstance(comparison, Comparison):
        raise InvalidSetting(f"{shown(comparison)} is no comparison", where="plot", limit="what loihiconv.compare returns expected")
    check_figure(path)
    analysis = comparison.analysis
    if analysis is None:
        figure = new_figure(WIDTH / 2, FRAME + ROW * (1 + len(comparison.backends)))
        _backends(figure.subplots(), comparison)
    else:
        chain = analysis.waterfall
        rows = max(1 + len(comparison.backends), len(chain.steps)), max(8, 2 + len(chain.layers))
        figure = new_figure(WIDTH, sum(FRAME + ROW * row for row in rows))
        panels = figure.subplots(2, 2, height_ratios=[FRAME + ROW * row for row in rows])
        _backends(panels[0, 0], comparison)
        _changes(panels[0, 1], analysis)
        _over_time(panels[1, 0], comparison, analysis)
        _layers(panels[1, 1], analysis)
    figure.suptitle(f"{comparison.title}: {comparison.verdict.title}", fontsize=10)
    save_figure(figure, path)
    return figure


def _backends(axes: Axes, comparison: Comparison) -> None:
    """A point and an interval each; back ends that ran few samples have no say in the axis."""
    metric, results = comparison.metric, comparison.backends
    ends = [end for name, r in results.items() if not small(r, results) for end in r.interval95]
    factor, margin = _factor(metric), 0.05 * (max(ends) - min(ends) or 1e-3)
    for place, (name, result) in enumerate(results.items()):
        colour = DARK if name == ANN else GREY if small(result, results) else BLUE
        axes.plot([factor * end for end in result.interval95], [place, place], color=colour, linewidth=1.5)
        axes.plot(factor * result.value, place, "o", color=colour, markersize=5)
    axes.axvline(factor * results[ANN].value, color=DARK, linestyle="--", linewidth=0.8)
    axes.set_xlim(factor * (min(ends) - margin), factor * (max(ends) + margin))
    labels = [f"{title_of(name)}, {n.figure(metric, r.value)}\nof {n.count(r.n)}" for name, r in results.items()]
    _rows(axes, labels, "Back ends")
    axes.set_xlabel(f"{_unit(metric)}, 95 % interval")


def _changes(axes: Axes, analysis: Analysis) -> None:
    """A bar for each step's change, orange where the metric became worse beyond chance."""
    chain = analysis.waterfall
    sign = -_factor(chain.metric) if chain.metric.rises else _factor(chain.metric)
    for place, step in enumerate(chain.steps[1:]):
        if step.step is not None and not step.same:
            bad = step.step.significant and step.step.loss > 0
            axes.barh(place, sign * step.step.loss, height=0.62, color=ORANGE if bad else BLUE)
            axes.plot([sign * end for end in step.step.interval95], [place, place], color=DARK, linewidth=1)
    axes.axvline(0, color=GREY, linewidth=0.8)
    _rows(axes, [step.title for step in chain.steps[1:]], f"What each step changed, {n.count(chain.n)} samples")
    axes.set_xlabel(f"change of {_unit(chain.metric, points=True)}, 95 % interval")


def _over_time(axes: Axes, comparison: Comparison, analysis: Analysis) -> None:
    """The metric after each time step, of one run."""
    curve, metric = analysis.latency, comparison.metric
    _title(axes, "Read after each time step")
    axes.set_xlabel("time steps")
    axes.set_ylabel(_unit(metric))
    if curve is None:
        axes.text(0.5, 0.5, "potentials over time were not recorded", transform=axes.transAxes, ha="center", color=DARK, fontsize=8)
        return
    factor, steps = _factor(metric), np.arange(1, len(curve.value) + 1)
    axes.fill_between(steps, factor * curve.low, factor * curve.high, color=BLUE, alpha=0.18, linewidth=0)
    axes.plot(steps, factor * curve.value, color=BLUE, marker="o" if len(steps) == 1 else None)
    ann = factor * comparison.backends[ANN].value
    axes.axhline(ann, color=DARK, linestyle="--", linewidth=0.8)
    axes.text(0.99, ann, "float network", transform=axes.get_yaxis_transform(), ha="right", va="bottom", fontsize=8)
    axes.margins(x=0)
    axes.grid(alpha=0.25)


def _layers(axes: Axes, analysis: Analysis) -> None:
    """A table of errors: read down for the layer, and to the right for the step, where it becomes dark."""
    chain = analysis.waterfall
    stages = [step for step in chain.steps[1:] if all(step.key in layer.errors for layer in chain.layers)]
    errors = np.array([[relative(layer.errors[step.key].rms, layer.activation_rms) for step in stages] for layer in chain.layers])
    axes.grid(visible=False)
    axes.imshow(np.clip(errors, 0, 1), vmin=0, vmax=1, cmap="Blues", aspect="auto")
    for (row, column), error in np.ndenumerate(errors):
        text = f"{100 * error:.0f}" if np.isfinite(error) else "inf"
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color="white" if error > 0.6 else DARK)
    axes.set_xticks(range(len(stages)), [step.title for step in stages], rotation=35, ha="right", rotation_mode="anchor")
    _rows(axes, [layer.population for layer in chain.layers], f"Layers' errors in %, {n.count(chain.layer_samples)} samples")


def _rows(axes: Axes, labels: list[str], title: str) -> None:
    """Names on the vertical axis, the first on top."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    _title(axes, title)


def _title(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=9, loc="left")
    axes.tick_params(labelsize=8)
    axes.xaxis.label.set_fontsize(8)
    axes.yaxis.label.set_fontsize(8)
    axes.spines[["top", "right"]].set_visible(False)


def _factor(metric: Metric) -> float:
    """From a metric to what is drawn: shares are in per cent."""
    return 100.0 if metric.share else 1.0


def _unit(metric: Metric, *, points: bool = False) -> str:
    return f"{metric.title} [{'points' if points else '%'}]" if metric.share else metric.title
