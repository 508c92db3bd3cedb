"""What changed from one saved comparison to another one: accuracy, verdict, cost, cores, layers, settings.

Differences of a metric come with their interval. On the same samples they are paired, as the steps of a chain are; on others they rest on
both intervals, which is wider.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from os import PathLike
from typing import Any

from loihiconv.backends.registry import ANN, title_of
from loihiconv.core import numbers as n
from loihiconv.core.metric import Metric
from loihiconv.core.tables import Shown, Table
from loihiconv.evaluation.saved import SavedComparison, SavedLayer, SavedResult, read_comparison

MOST_LAYERS = 12
"""Layers that are listed, those that changed most."""
STEADY = 0.005
"""A change of an error, as a share of the activations, that is not worth a row."""
MARKS = {"good": "✓", "unknown": "?", "warn": "!", "bad": "✗"}

Interval = tuple[float, float]


@dataclass(frozen=True)
class Figure:
    """A back end's metric in both comparisons.

    Attributes
    ----------
    backend : str
    metric : Metric
    before, after : float
    n : (before, after)
        Samples.
    loss : float
        How much worse it is after than before.
    interval95 : (low, high)
        Of the loss.
    paired : bool
        Whether both are known to be of the same samples.
    """

    backend: str
    metric: Metric
    before: float
    after: float
    n: tuple[int, int]
    loss: float
    interval95: Interval
    paired: bool

    @property
    def measurable(self) -> bool:
        """Whether the interval excludes no change."""
        return not self.interval95[0] <= 0 <= self.interval95[1]

    def cells(self) -> list[str]:
        """A row of a table."""
        metric = self.metric
        samples = n.count(self.n[0]) if self.n[0] == self.n[1] else f"{n.count(self.n[0])}, {n.count(self.n[1])}"
        values = [n.value(metric, self.before), n.value(metric, self.after)]
        changes = [n.change(metric, self.loss, self.before), n.change_interval(metric, self.interval95, self.before)]
        return [title_of(self.backend), *values, *changes, samples, "yes" if self.paired else "no"]

    def __str__(self) -> str:
        change = f"{self.metric.title} {n.change(self.metric, self.loss, self.before)}{' points' if self.metric.share else ''}"
        if not self.measurable:
            return f"{title_of(self.backend)}: no measurable change of {self.metric.title}"
        return f"{title_of(self.backend)}: {change}, measurably {'worse' if self.loss > 0 else 'better'}"


@dataclass(frozen=True)
class Pair:
    """Something in words or numbers, before and after; None or "" where a comparison does not have it."""

    name: str
    before: Any
    after: Any

    @property
    def same(self) -> bool:
        """Whether nothing changed."""
        return bool(self.before == self.after)

    def cells(self) -> list[str]:
        """A row of a table, with the change of numbers as a share."""
        change = ""
        if isinstance(self.before, (int, float)) and isinstance(self.after, (int, float)) and self.before and not self.same:
            change = f"{100 * (self.after / self.before - 1):+.1f} %".replace("-", "−")
        return [_shown(self.name), _shown(self.before), _shown(self.after), change]


@dataclass(frozen=True)
class Difference(Shown):
    """All that changed between two comparisons.

    Attributes
    ----------
    figures : tuple of Figure
        Of every back end that ran in both.
    answers : tuple of Pair
        Of the verdict.
    costs : tuple of Pair
        Time steps, spikes, operations, cores, ...
    cores : tuple of Pair
        Populations that take another number of cores.
    layers : tuple of Pair
        Relative errors of layers in both that are not the same, the largest change first.
    settings : tuple of Pair
        Settings and versions that are not the same.
    notes : tuple of str
        What stands in one of them alone, or cannot be compared.
    """

    figures: tuple[Figure, ...]
    answers: tuple[Pair, ...]
    costs: tuple[Pair, ...]
    cores: tuple[Pair, ...]
    layers: tuple[Pair, ...]
    settings: tuple[Pair, ...]
    notes: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether every figure that was measured is the same."""
        unchanged = all(pair.same for pair in (*self.answers, *self.costs, *self.cores, *self.layers))
        return unchanged and not self.notes and all(f.before == f.after and f.n[0] == f.n[1] for f in self.figures)

    def tables(self) -> tuple[Table, ...]:
        found = []
        if self.figures:
            titles = ", ".join(dict.fromkeys(f.metric.title for f in self.figures))
            header = ["back end", "before", "after", "change", "95 % interval", "n", "paired"]
            found.append(Table(titles[:1].upper() + titles[1:], header, [f.cells() for f in self.figures]))
        found.append(Table("Verdict", ["question", "before", "after"], [a.cells()[:3] for a in self.answers]))
        listed = [pair for pair in self.layers if abs(pair.after - pair.before) > STEADY][:MOST_LAYERS]
        error = [[p.name, n.share(p.before, 1), n.share(p.after, 1), _points(p.after - p.before)] for p in listed]
        for title, rows, header in (
            ("Cost", [p.cells() for p in self.costs], ["per sample", "before", "after", "change"]),
            ("Cores", [p.cells() for p in self.cores], ["layer", "before", "after", "change"]),
            ("Relative error of layers", error, ["layer", "before", "after", "points"]),
            ("Settings and versions", [p.cells()[:3] for p in self.settings], ["name", "before", "after"]),
        ):
            if rows:
                found.append(Table(title, header, rows))
        return tuple(found)

    def remarks(self) -> tuple[str, ...]:
        said = [str(figure) for figure in self.figures if figure.backend != ANN or figure.measurable]
        if any(not figure.paired for figure in self.figures):
            said.append("not paired: the samples are others, or not known to be the same, so that intervals are wider")
        moved = [pair for pair in self.layers if abs(pair.after - pair.before) > STEADY]
        if len(moved) > MOST_LAYERS:
            said.append(f"{len(moved) - MOST_LAYERS} more layers changed less")
        if self.layers and not moved:
            said.append(f"{len(self.layers)} layers' errors changed by at most {n.points(STEADY, 1)} points")
        return (*(["the same: every figure that was measured is equal"] if self.same else said), *self.notes)

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        figures = [
            {**vars(f), "metric": f.metric.key, "n": list(f.n), "interval95": list(f.interval95), "measurable": f.measurable}
            for f in self.figures
        ]
        pairs = {name: [vars(pair) for pair in getattr(self, name)] for name in ("answers", "costs", "cores", "layers", "settings")}
        return {"same": self.same, "figures": figures, **pairs, "notes": list(self.notes)}


def diff_files(before: str | PathLike[str], after: str | PathLike[str]) -> Difference:
    """What changed between two files that ``compare --json`` wrote.

    Raises
    ------
    InvalidData
        If one is no such file.
    """
    return difference(read_comparison(before), read_comparison(after))


def difference(before: SavedComparison, after: SavedComparison) -> Difference:
    """What changed from one comparison to another one."""
    notes: list[str] = []
    shared = [name for name in before.backends if name in after.backends]
    notes += _only("back end", {title_of(b): 0 for b in before.backends}, {title_of(b): 0 for b in after.backends})
    figures = []
    for name in shared:
        if before.metric(name) == after.metric(name):
            figures.append(_figure(name, before.metric(name), before.backends[name], after.backends[name]))
        else:
            titles = f"{before.metric(name).title} before and {after.metric(name).title} after"
            notes.append(f"{title_of(name)}: {titles} cannot be compared")
    questions = [
        Pair(
            a.question,
            f"{MARKS[a.status]} {a.answer}",
            next((f"{MARKS[b.status]} {b.answer}" for b in after.verdict.answers if b.question == a.question), ""),
        )
        for a in before.verdict.answers
    ]
    cores = [{} if c.placement is None else c.placement.layers for c in (before, after)]
    layers = [{} if c.analysis is None else {layer.population: layer for layer in c.analysis.layers} for c in (before, after)]
    if all(cores):
        notes += _only("population", *cores)
    notes += _explained(before, after)
    settings = [*_changed(before.all_settings, after.all_settings), *_changed(before.all_versions, after.all_versions)]
    changed = [pair for pair in _shared(*cores) if not pair.same]
    return Difference(
        tuple(figures),
        tuple(questions),
        tuple(_costs(before, after)),
        tuple(changed),
        tuple(_errors(*layers)),
        tuple(settings),
        tuple(notes),
    )


def newcombe(before: float, around_before: Interval, after: float, around_after: Interval) -> Interval:
    """Interval of ``before - after`` for two figures of different samples, from the interval of each.

    Newcombe's hybrid score method for proportions with Wilson's intervals (1998, Statistics in Medicine 17, 873-890, method 10), which Zou
    and Donner (2008, Statistics in Medicine 27, 1693-1702) show to hold for any two independent figures::

        (p1 - p2) - sqrt((p1 - l1)² + (u2 - p2)²)  to  (p1 - p2) + sqrt((u1 - p1)² + (p2 - l2)²)
    """
    (l1, u1), (l2, u2) = around_before, around_after
    middle = before - after
    return middle - sqrt((before - l1) ** 2 + (u2 - after) ** 2), middle + sqrt((u1 - before) ** 2 + (after - l2) ** 2)


def _figure(backend: str, metric: Metric, before: SavedResult, after: SavedResult) -> Figure:
    values = before.value, after.value
    paired = None
    if before.judged is not None and after.judged is not None:
        paired = before.judged.loss_to(after.judged, metric, values)
    if paired is not None:
        loss, around = paired.loss, paired.interval95
        if not paired.changed and before.value == after.value:
            around = (0.0, 0.0)
    else:
        low, high = newcombe(before.value, before.interval95, after.value, after.interval95)
        loss, around = metric.loss(*values), (low, high) if metric.rises else (-high, -low)
    return Figure(backend, metric, *values, (before.n, after.n), loss, around, paired is not None)


def _costs(before: SavedComparison, after: SavedComparison) -> Iterator[Pair]:
    yield Pair("time steps", before.period, after.period)
    names = [name for name in before.backends if name in after.backends and name != ANN]
    if names:
        main = max(names, key=lambda name: (before.backends[name].n, names.index(name)))
        pairs = before.backends[main], after.backends[main]
        for key, title in (("firing_rate", "firing rate"), ("spikes", "spikes"), ("synaptic_operations", "synaptic operations")):
            yield Pair(title, *(getattr(result, key) for result in pairs))
    work = [None if c.analysis is None else c.analysis.workload.get("spiking") for c in (before, after)]
    yield Pair("bytes of parameters and state", *(None if w is None else w.footprint for w in work))
    for key in ("cores", "chips"):
        yield Pair(key, *(None if c.placement is None else getattr(c.placement, key) for c in (before, after)))


def _errors(before: Mapping[str, SavedLayer], after: Mapping[str, SavedLayer]) -> list[Pair]:
    pairs = [Pair(name, layer.relative_error, after[name].relative_error) for name, layer in before.items() if name in after]
    return sorted((pair for pair in pairs if not pair.same), key=lambda pair: -abs(pair.after - pair.before))


def _shared(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Pair]:
    return (Pair(name, value, after[name]) for name, value in before.items() if name in after)


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Pair]:
    names = {**before, **after}
    return [
        Pair(name.replace("_", " "), before.get(name, ""), after.get(name, "")) for name in names if before.get(name) != after.get(name)
    ]


def _only(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for where, one, other in (("before", before, after), ("after", after, before)):
        if names := [name for name in one if name not in other]:
            listed = ", ".join(names[:MOST_LAYERS]) + (f" and {len(names) - MOST_LAYERS} more" if len(names) > MOST_LAYERS else "")
            yield f"{what}{'s' * (len(names) > 1)} only {where}: {listed}"


def _explained(before: SavedComparison, after: SavedComparison) -> Iterator[str]:
    without = [where for where, c in (("before", before), ("after", after)) if c.analysis is None]
    if len(without) == 1:
        yield f"layers: not measured {without[0]}; compare with --explain"


def _points(change: float) -> str:
    return f"{'−' if change < 0 else '+'}{n.points(abs(change), 1)}"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return "".join(c if c.isprintable() else "?" for c in value)
    if isinstance(value, bool) or value is None:
        return n.setting(value)
    if isinstance(value, int) or (isinstance(value, float) and abs(value) >= 1000):
        return n.count(value)
    return n.number(value, 4) if isinstance(value, float) else str(value)
