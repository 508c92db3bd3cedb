"""How one back end did in a comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from loihiconv.backends.registry import title_of
from loihiconv.core import numbers as n
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.metric import Metric
from loihiconv.core.tables import Table
from loihiconv.evaluation.judged import Judged
from loihiconv.evaluation.pairing import PairedLoss
from loihiconv.evaluation.tasks.metric import Figure

FEW = 100
"""Of fewer samples a figure says little."""


@dataclass(frozen=True)
class BackendResult:
    """How one back end did.

    Attributes
    ----------
    metric : Metric
        The task's own: accuracy of a classification.
    value : float
    interval95 : (low, high)
        Wilson's of an accuracy, else by drawing samples again.
    n : int
        Samples it ran.
    agreement : float or None
        Share of decisions in which it agrees with the float network; None where outputs are numbers.
    parts : tuple of float
        The metric of every label or class, where it has such.
    figures : tuple of Figure
        What else the task is judged by.
    loss : PairedLoss or None
        What it loses against the float network, on the samples it ran; None for the float network itself.
    firing_rate : float or None
        Mean spikes per neuron and step; None for the float network itself.
    synaptic_operations, spikes : float or None
        Mean per sample; None for the float network itself.
    judged : callable () -> Judged, or None
        How each sample was judged, for files.
    """

    metric: Metric
    value: float
    interval95: tuple[float, float]
    n: int
    agreement: float | None
    parts: tuple[float, ...] = ()
    figures: tuple[Figure, ...] = ()
    loss: PairedLoss | None = None
    firing_rate: float | None = None
    synaptic_operations: float | None = None
    spikes: float | None = None
    judged: Callable[[], Judged] | None = field(default=None, repr=False, compare=False)

    @property
    def accuracy(self) -> float:
        """`value`, where samples are counted.

        Raises
        ------
        InvalidSetting
            Where the task has no accuracy.
        """
        if not self.metric.counted:
            raise InvalidSetting(f"no accuracy, but {self.metric.title}", where="accuracy", remedy="take value and interval95")
        return self.value

    @property
    def wilson95(self) -> tuple[float, float]:
        """`interval95`, where samples are counted."""
        _ = self.accuracy
        return self.interval95

    def cells(self, title: str) -> list[str]:
        """A row of a table: the back end, its figure and interval, samples, agreement, firing rate, synaptic operations."""
        rate, operations = _finite(self.firing_rate), _finite(self.synaptic_operations)
        agreement = "" if self.agreement is None else n.share(self.agreement)
        return [
            title,
            n.figure(self.metric, self.value),
            n.figure_interval(self.metric, self.interval95),
            n.count(self.n),
            agreement,
            "" if rate is None else n.share(rate),
            "" if operations is None else n.count(operations),
        ]

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON values."""
        named = {"accuracy": self.value, "wilson95": list(self.interval95)} if self.metric.counted else {}
        return {
            **named,
            "metric": self.metric.key,
            "value": self.value,
            "interval95": list(self.interval95),
            "n": self.n,
            "agreement": self.agreement,
            "parts": [None if part != part else part for part in self.parts],  # NaN: neither labels nor answers have it
            "figures": {f.metric.key: {"value": f.value, "interval95": list(f.interval95)} for f in self.figures},
            "loss": None if self.loss is None else {"loss": self.loss.loss, "interval95": list(self.loss.interval95)},
            **{key: _finite(getattr(self, key)) for key in ("firing_rate", "synaptic_operations", "spikes")},
            **({} if self.judged is None else {"judged": self.judged().to_json()}),
        }


def small(result: BackendResult, results: Mapping[str, BackendResult]) -> bool:
    """Whether a back end ran too few samples for its figure to stand beside the others'."""
    most = max(other.n for other in results.values())
    return result.n < most and result.n < max(FEW, most // 10)


def result_tables(title: str, results: Mapping[str, BackendResult]) -> tuple[Table, ...]:
    """Back ends by name, one a row, without columns that hold nothing; and their other figures, where there are any."""
    metric = next(iter(results.values())).metric
    columns = [["back end", metric.title, "95 % interval", "n", "as ANN", "firing", "syn. ops"]]
    columns += [result.cells(title_of(name)) for name, result in results.items()]
    kept = [i for i in range(len(columns[0])) if any(row[i] for row in columns[1:])]
    header, *rows = [[row[i] for i in kept] for row in columns]
    tables = [Table(title, header, rows)]
    others = [
        [title_of(name), *figure.cells()[:2], "" if small(result, results) else figure.cells()[2]]
        for name, result in results.items()
        for figure in result.figures
    ]
    if others:
        tables.append(Table("Other figures", ["back end", "figure", "value", "95 % interval"], others))
    return tuple(tables)


def _finite(value: float | None) -> float | None:
    """None for what was not counted: JSON has no NaN."""
    return value if value is not None and isfinite(value) else None
