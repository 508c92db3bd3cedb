"""What a sweep found: a row per point, and which of them no other beats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import isfinite
from typing import Any, Literal, TypeAlias

from loihiconv.core.errors import ArtifactError, InvalidSetting
from loihiconv.core.given import shown
from loihiconv.evaluation.metrics import wilson
from loihiconv.evaluation.pairing import tango
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
    correct, lost, gained : int
        Samples that it gets right; those that only the float network does; those that only it does.
    agreement : float
        Share of samples on which it names the float network's class.
    firing_rate : float
        Mean spikes per neuron and step.
    synaptic_operations : float
        Mean per sample.
    """

    timesteps: int
    n: int
    correct: int
    lost: int
    gained: int
    agreement: float
    firing_rate: float
    synaptic_operations: float

    @property
    def accuracy(self) -> float:
        """Share of samples that it gets right."""
        return self.correct / self.n

    @property
    def wilson95(self) -> tuple[float, float]:
        """95 % interval of the accuracy."""
        return wilson(self.correct, self.n)

    @property
    def loss(self) -> float:
        """Accuracy of the float network minus accuracy."""
        return (self.lost - self.gained) / self.n

    @property
    def loss95(self) -> tuple[float, float]:
        """95 % interval of the loss, paired by sample; see `loihiconv.evaluation.pairing.tango`."""
        return tango(self.lost, self.gained, self.n)

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON values."""
        return {**asdict(self), "accuracy": self.accuracy, "wilson95": list(self.wilson95), "loss": self.loss, "loss95": list(self.loss95)}


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
            outcome = None if found is None else Outcome(**{f.name: _number(found[f.name]) for f in fields(Outcome)})
            if outcome is not None and not 0 <= outcome.correct <= outcome.n:
                raise ValueError("more correct than samples")
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
    n, ann_correct : int
        Samples, and how many of them the float network gets right.
    provenance : mapping
        Versions, and hashes of network, data and code.
    """

    axes: Mapping[str, tuple[Any, ...]]
    rows: tuple[Row, ...]
    points: int
    board: str
    on: Part
    n: int
    ann_correct: int
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
        """Rows on the Pareto front of accuracy against a cost, cheapest first: indices into `rows`.

        Parameters
        ----------
        cost : "timesteps" or "synaptic_operations"
        """
        if cost not in COSTS:
            raise InvalidSetting(f"cost {cost!r}", where="front", limit=" or ".join(f'"{c}"' for c in COSTS) + " expected")
        ran = [(i, row.outcome) for i, row in enumerate(self.rows) if row.outcome is not None]
        front = pareto_front([getattr(outcome, cost) for _, outcome in ran], [outcome.accuracy for _, outcome in ran])
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
            "ann": {"accuracy": self.ann_correct / self.n, "n": self.n, "wilson95": list(wilson(self.ann_correct, self.n))},
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


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return value
