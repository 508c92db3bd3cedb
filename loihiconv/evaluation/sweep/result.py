"""What a sweep found: a row per point, and which of them no other beats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import isfinite
from typing import Any, Literal, TypeAlias

from loihiconv.core.choices import Task
from loihiconv.core.errors import ArtifactError, InvalidSetting
from loihiconv.core.given import shown
from loihiconv.core.metric import Metric
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


@dataclass(frozen=True)
class Outcome:
    """How one converted network did.

    Attributes
    ----------
    timesteps : int
        T that it ran; fewer than asked for where a search for latency found fewer to be enough.
    n : int
        Samples.
    value : float
        The task's metric: accuracy of a classification.
    low, high : float
        Its 95 % interval.
    loss : float
        How much worse it is than the float network.
    loss_low, loss_high : float
        Its 95 % interval, paired by sample; see `loihiconv.evaluation.tasks.scores.loss_between`.
    agreement : float or None
        Share of decisions in which it agrees with the float network; None where outputs are numbers.
    firing_rate : float
        Mean spikes per neuron and step.
    synaptic_operations : float
        Mean per sample.
    """

    timesteps: int
    n: int
    value: float
    low: float
    high: float
    loss: float
    loss_low: float
    loss_high: float
    agreement: float | None
    firing_rate: float
    synaptic_operations: float

    @property
    def accuracy(self) -> float:
        """`value`, as it is called where samples are counted."""
        return self.value

    @property
    def interval95(self) -> tuple[float, float]:
        """Of the metric."""
        return self.low, self.high

    @property
    def loss95(self) -> tuple[float, float]:
        """Of the loss."""
        return self.loss_low, self.loss_high

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON values."""
        return {**asdict(self), "interval95": list(self.interval95), "loss95": list(self.loss95)}


@dataclass(frozen=True)
class Row:
    """One point of a sweep.

    Attributes
    ----------
    values : mapping
        Value on each axis.
    settings : mapping
        All settings of the conversion, those that a search found included.
    outcome : Outcome or None
        None where the network could not be converted or run so.
    reason : str
        Why not.
    """

    values: Mapping[str, Any]
    settings: Mapping[str, Any]
    outcome: Outcome | None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """The row as JSON values."""
        outcome = None if self.outcome is None else self.outcome.to_json()
        return {"values": dict(self.values), "settings": dict(self.settings), "outcome": outcome, "reason": self.reason}

    @staticmethod
    def from_json(stored: Mapping[str, Any], values: Mapping[str, Any]) -> Row:
        """A row from what `to_json` gave; the values are those of the axes of this sweep."""
        try:
            found = stored["outcome"]
            outcome = None if found is None else Outcome(**{f.name: _number(found[f.name], f.name) for f in fields(Outcome)})
            if outcome is not None and not outcome.low <= outcome.value <= outcome.high:
                raise ValueError("a value outside of its interval")
            return Row(values, dict(stored["settings"]), outcome, str(stored["reason"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError("a point of the sweep's cache is altered", where="cache", remedy="delete the file") from error


def check_result(result: object) -> None:
    """Raise `InvalidSetting` for what is no `SweepResult`."""
    if not isinstance(result, SweepResult):
        raise InvalidSetting(f"{shown(result)} is no sweep", where="result", limit="what loihiconv.sweep returns expected")


@dataclass(frozen=True)
class SweepResult:
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


def _number(value: Any, name: str) -> Any:
    if value is None and name == "agreement":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return value
