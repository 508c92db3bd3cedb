"""A sweep as a figure: a task's metric against time steps and against synaptic operations, each with its Pareto front."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from itertools import cycle
from typing import TYPE_CHECKING, Any

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.numbers import count
from loihiconv.evaluation.sweep.columns import axis_value, heading
from loihiconv.evaluation.sweep.outcome import Outcome, Row
from loihiconv.evaluation.sweep.result import COSTS, Cost, SweepResult, check_result
from loihiconv.report.figures import check_figure, new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABELS: Mapping[Cost, str] = {"timesteps": "time steps per sample", "synaptic_operations": "synaptic operations per sample"}
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F")
"""Told apart by colour-blind readers too (Okabe and Ito 2008)."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
FILLS = ("full", "none", "left", "bottom", "right", "top")
SPREAD = 0.12
"""Of points with the same number of time steps, as a share of it: side by side, so that their intervals can be seen."""
SIZE = (4.6, 3.9)
"""Of a panel, in inches."""

FRONT: Mapping[str, Any] = {"color": "0.35", "linewidth": 2.2, "alpha": 0.6}


def plot_sweep(result: SweepResult, path: str | os.PathLike[str] | None = None, *, lowest: float | None = None) -> Figure:
    """Draw a sweep.

    Bars are 95 % intervals; thin lines join points that differ in T alone. Colours stand for the first axis that was
    varied beside T, markers for the second, their filling for the third.

    Parameters
    ----------
    result : SweepResult
    path : path, optional
        ``.png``, ``.svg`` or ``.pdf`` to write, atomically.
    lowest : float, optional
        Value at which the vertical axis begins, in [0, 1).

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidSetting
        If nothing was converted, or for a path or ``lowest`` that cannot be.
    BackendUnavailable
        Without matplotlib.
    """
    check_result(result)
    check_figure(path)
    if lowest is not None and not 0 <= lowest < 1:
        raise InvalidSetting(f"lowest {lowest}", where="plot", limit="0 to below 1 expected")
    ran = [(row, row.outcome) for row in result.rows if row.outcome is not None]
    if not ran:
        raise InvalidSetting("no point could be converted", where="plot", remedy="see the reasons in the table")
    panels = [cost for cost in COSTS if len({getattr(outcome, cost) for _, outcome in ran}) > 1] or ["synaptic_operations"]
    figure = new_figure(SIZE[0] * len(panels), SIZE[1])
    all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, cost in zip(all_axes, panels, strict=True):
        _panel(axes, result, ran, cost)
    measure = f"{result.metric.title} [%]" if result.metric.share else result.metric.title
    all_axes[0].set_ylabel(f"{measure}\n({count(result.n)} {'held-out training' if result.on == 'train' else 'test'} samples)")
    if lowest is not None:
        all_axes[0].set_ylim(bottom=_factor(result) * lowest)
    handles = _legend(result)
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 3 * len(panels)), fontsize=8, frameon=False)
    missing = len(result.rows) - len(ran)
    failed = f", {missing} of {len(result.rows)} points could not be converted" if missing else ""
    figure.suptitle((result.board or "float spiking network") + failed, fontsize=10)
    save_figure(figure, path)
    return figure


def _panel(axes: Axes, result: SweepResult, ran: list[tuple[Row, Outcome]], cost: Cost) -> None:
    factor = _factor(result)
    colour, marker, fill = (_style(result, which, kinds) for which, kinds in enumerate((COLOURS, MARKERS, FILLS)))
    series: dict[tuple[Any, ...], list[tuple[Row, Outcome]]] = {}
    for row, outcome in ran:
        series.setdefault(tuple(row.values[name] for name in _others(result)), []).append((row, outcome))
    for number, members in enumerate(series.values()):
        shift = 1 + SPREAD * (number / (len(series) - 1) - 0.5) if len(series) > 1 and cost == "timesteps" else 1.0
        members.sort(key=lambda member: getattr(member[1], cost))
        x = [shift * getattr(outcome, cost) for _, outcome in members]
        y = [factor * outcome.value for _, outcome in members]
        bars = [[factor * abs(outcome.value - outcome.interval95[end]) for _, outcome in members] for end in (0, 1)]
        row = members[0][0]
        axes.errorbar(
            x,
            y,
            yerr=bars,
            color=colour(row),
            marker=marker(row),
            fillstyle=fill(row),
            markersize=4.5,
            linewidth=0.6,
            elinewidth=0.8,
            alpha=0.85,
            zorder=3,
        )
    front = [best for i in result.front(cost) if (best := result.rows[i].outcome) is not None]
    most = max(getattr(outcome, cost) for _, outcome in ran)
    along = [*((getattr(best, cost), factor * best.value) for best in front), (most, factor * front[-1].value)]
    axes.step(*zip(*along, strict=True), where="post", **FRONT, zorder=2)
    axes.axhline(factor * result.ann, color="black", linestyle="--", linewidth=0.9, zorder=1)
    _scale(axes, cost, sorted({getattr(outcome, cost) for _, outcome in ran}))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _factor(result: SweepResult) -> float:
    """From a metric to what is drawn: shares are in per cent."""
    return 100.0 if result.metric.share else 1.0


def _scale(axes: Axes, cost: Cost, values: list[float]) -> None:
    """A logarithmic axis with plain numbers on it."""
    from matplotlib.ticker import EngFormatter, FixedLocator, LogLocator, NullFormatter, NullLocator, ScalarFormatter

    axes.set_xscale("log")
    axes.set_xlabel(LABELS[cost])
    if cost == "timesteps":
        axes.xaxis.set_major_locator(FixedLocator(values))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.xaxis.set_minor_formatter(NullFormatter())


def _others(result: SweepResult) -> tuple[str, ...]:
    """Axes that were varied, but for T."""
    return tuple(name for name in result.varied if name != "timesteps")


def _style(result: SweepResult, which: int, kinds: tuple[str, ...]) -> Callable[[Row], str]:
    """A colour, marker or filling for each value of one of those axes."""
    names = _others(result)[which : which + 1]
    if not names:
        return lambda row: kinds[0]
    known = dict(zip(result.axes[names[0]], cycle(kinds), strict=False))
    return lambda row: known[row.values[names[0]]]


def _legend(result: SweepResult) -> list[Any]:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color="black", linestyle="--", linewidth=0.9, label="float ANN"),
        Line2D([], [], label="Pareto front", **FRONT),
    ]
    kinds = (("color", COLOURS), ("marker", MARKERS), ("fillstyle", FILLS))
    for name, (kind, styles) in zip(_others(result), kinds, strict=False):
        for value, style in zip(result.axes[name], cycle(styles), strict=False):
            drawn: dict[str, Any] = {"color": "gray", "marker": "o", kind: style}
            label = f"{heading(name)}: {axis_value(name, value)}"
            handles.append(Line2D([], [], linestyle="", markersize=5, label=label, **drawn))
    return handles
