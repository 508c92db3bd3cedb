"""How one point of a sweep did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import isfinite
from typing import Any

from loihiconv.core.errors import ArtifactError


@dataclass(frozen=True)
class Outcome:
    """How one converted network did.

    Attributes
    ----------
    timesteps : int
        Steps that a sample took, T and silent ones; fewer than asked for where a search for latency found fewer to be enough.
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
    failed : bool
        Whether another try may do better, as where workers of a cluster were ended.
    """

    values: Mapping[str, Any]
    settings: Mapping[str, Any]
    outcome: Outcome | None
    reason: str = ""
    failed: bool = False

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


def _number(value: Any, name: str) -> Any:
    if value is None and name == "agreement":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return value
