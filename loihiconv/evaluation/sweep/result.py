"""What a sweep found: a row per point, and which of them no other beats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from loihiconv.core import numbers as n
from loihiconv.core.choices import Task
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import shown
from loihiconv.core.metric import Metric
from loihiconv.core.tables import Shown, Table
from loihiconv.evaluation.sweep.columns import axis_value, heading, measure, measured, measured_interval, outcome_cells, value
from loihiconv.evaluation.sweep.outcome import Row
from loihiconv.evaluation.sweep.pareto import pareto_front

Part: TypeAlias = Literal["train", "test"]
Cost: TypeAlias = Literal["timesteps", "synaptic_operations"]
COSTS: tuple[Cost, ...] = ("timesteps", "synaptic_operations")

CAUTION: Mapping[Part, str] = {
    "train": "Judged on training samples that calibration did not see, but the network was trained on them: compare settings by these "
    "accuracies, and report the test accuracy of the one that you choose.",
    "test": "Judged on test samples: choosing settings by these accuracies is tuning on test data, and the best of them is no estimate of "
    "accuracy on new samples. Choose on held-out training samples instead.",
}
"""What must be kept in mind about accuracies, by the samples that they come from."""


def check_result(result: object) -> None:
    """Raise `InvalidSetting` for what is no `SweepResult`."""
    if not isinstance(result, SweepResult):
        raise InvalidSetting(f"{shown(result)} is no sweep", where="result", limit="what loihiconv.sweep returns expected")


@dataclass(frozen=True)
class SweepResult(Shown):
    """What `sweep` found.

    Attributes
    ----------
    axes : {name: values}
    rows : tuple of Row
        In the order of the axes, the last varying fastest; only those that were finished if the sweep was interrupted.
    points : int
        In all.
    board : str
        Board, or empty for float networks.
    on : "train" or "test"
        What the samples are; `caution` says what follows from it.
    n : int
        Samples.
    task : str
        What networks are judged at.
    metric : Metric
    ann, ann95 : float, (low, high)
        The metric of the float network, and its interval.
    provenance : mapping
        Versions, and hashes of network, data and code.
    """

    axes: Mapping[str, tuple[Any, ...]]
    rows: tuple[Row, ...]
    points: int
    board: str
    on: Part
    n: int
    task: Task
    metric: Metric
    ann: float
    ann95: tuple[float, float]
    provenance: Mapping[str, str]

    @property
    def complete(self) -> bool:
        """Whether all points are there."""
        return len(self.rows) == self.points

    @property
    def caution(self) -> str:
        """What must be kept in mind about these accuracies."""
        return CAUTION[self.on]

    @property
    def varied(self) -> tuple[str, ...]:
        """Axes with more than one value."""
        return tuple(name for name, values in self.axes.items() if len(values) > 1)

    def front(self, cost: Cost) -> tuple[int, ...]:
        """Rows on the Pareto front of the metric against a cost, cheapest first: indices into `rows`.

        Parameters
        ----------
        cost : "timesteps" or "synaptic_operations"
        """
        if cost not in COSTS:
            raise InvalidSetting(f"cost {cost!r}", where="front", limit=" or ".join(f'"{c}"' for c in COSTS) + " expected")
        ran = [(i, row.outcome) for i, row in enumerate(self.rows) if row.outcome is not None]
        front = pareto_front([getattr(outcome, cost) for _, outcome in ran], [-outcome.loss for _, outcome in ran])
        return tuple(ran[i][0] for i in front)

    @property
    def title(self) -> str:
        """Board, points that are there, and what they were judged on."""
        judged = "held-out training" if self.on == "train" else "test"
        return f"{self.board or 'float'}: {len(self.rows)} of {self.points} points on {n.count(self.n)} {judged} samples"

    def cells(self) -> tuple[list[str], list[list[str]]]:
        """Headings and rows; the float network comes first, and a row that could not be converted has no figures; see `reasons`.

        The task's metric, its 95 % interval, agreement and firing rate are in per cent, losses in percentage points, but for metrics in
        units of the targets; ops are synaptic operations per sample. The front's column says for which costs no other row beats this one:
        T for time steps, ops for synaptic operations.
        """
        varied = self.varied or tuple(self.axes)
        steps, operations = set(self.front("timesteps")), set(self.front("synaptic_operations"))
        header = [*(heading(name) for name in varied), measure(self.metric), "95 %", "as ANN", "loss", "ops", "firing", "front"]
        decides = any(row.outcome is not None and row.outcome.agreement is not None for row in self.rows)
        own = [measured(self.metric, self.ann), measured_interval(self.metric, self.ann95)]
        rows = [[*("" for _ in varied), *own, "100.00" if decides else "", "", "", "", "ANN"]]
        for i, row in enumerate(self.rows):
            fronts = " ".join(name for name, front in (("T", steps), ("ops", operations)) if i in front)
            rows.append([*(value(row, name) for name in varied), *outcome_cells(self.metric, row.outcome, fronts)])
        return header, rows

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why points could not be converted, a line each."""
        failed = [row for row in self.rows if row.outcome is None]
        return tuple(", ".join(f"{heading(name)} {value(row, name)}" for name in self.axes) + f": {row.reason}" for row in failed)

    def tables(self) -> tuple[Table, ...]:
        return (Table(self.title, *self.cells()),)

    def remarks(self) -> tuple[str, ...]:
        return (*self.reasons, self.caution)

    def __repr__(self) -> str:
        axes = ", ".join(f"{name} {', '.join(axis_value(name, v) for v in self.axes[name])}" for name in self.varied)
        ran = [row.outcome for row in self.rows if row.outcome is not None]
        best = f"{n.figure(self.metric, min(ran, key=lambda outcome: outcome.loss).value)} at best, " if ran else ""
        of = f" of {axes}" if axes else ""
        return f"<SweepResult, {self.title}{of}: {self.metric.title} {best}{n.figure(self.metric, self.ann)} of the float network>"

    def to_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "axes": {name: list(values) for name, values in self.axes.items()},
            "board": self.board,
            "on": self.on,
            "caution": self.caution,
            "complete": self.complete,
            "points": self.points,
            "task": self.task,
            "metric": self.metric.key,
            "ann": {"value": self.ann, "n": self.n, "interval95": list(self.ann95)},
            "rows": [row.to_json() for row in self.rows],
            "fronts": {cost: list(self.front(cost)) for cost in COSTS},
            "provenance": dict(self.provenance),
        }


class SweepInterrupted(KeyboardInterrupt):
    """Ctrl-C in the middle of a sweep.

    Attributes
    ----------
    result : SweepResult
        Of the points that were finished.
    """

    def __init__(self, result: SweepResult) -> None:
        super().__init__(f"{len(result.rows)} of {result.points} points are done")
        self.result = result
