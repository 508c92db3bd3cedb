"""A task's metric against time from one run, and which classes are taken for which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loihiconv.core.classification import softmax_spikes
from loihiconv.core.errors import InvalidData
from loihiconv.core.linear import Array
from loihiconv.core.metric import Metric
from loihiconv.core.network import Network, Readout, Recording
from loihiconv.evaluation.tasks.answers import Answers, over_time
from loihiconv.evaluation.tasks.kinds import TaskKind


@dataclass(frozen=True, eq=False)
class LatencyCurve:
    """The task's metric after each time step.

    Attributes
    ----------
    metric : Metric
    value, low, high : float arrays (T,)
        After step 1, 2, ..., T, with its 95 % interval.
    n : int
    depth : int
        Steps from the input to the readout: the answer of step t is there depth steps after it.
    """

    metric: Metric
    value: Array
    low: Array
    high: Array
    n: int
    depth: int

    def latency(self, tolerance: float) -> int:
        """The first step from which the metric is never worse by more than this than at the end."""
        losses = np.array([self.metric.loss(float(self.value[-1]), float(value)) for value in self.value])
        worse = np.flatnonzero(losses > tolerance)
        return int(worse[-1]) + 2 if len(worse) else 1


def latency_curve(network: Network, recording: Recording, y: Array, kind: TaskKind) -> LatencyCurve:
    """What the metric of fewer time steps would have had, from one run of all of them.

    Spikes of the first t steps do not depend on later ones, so this is exactly what a run with T = t gives; only what conversion
    would do otherwise for a smaller T (bias correction, the readout's gain) is not in it.

    Parameters
    ----------
    network : Network
        That was run.
    recording : Recording
        With ``record=["potentials"]``.
    y : array (N, ...)
        Labels, as the task takes them.
    kind : TaskKind
    """
    if recording.potentials_over_time is None:
        raise InvalidData("the recording has no potentials over time", where="latency", remedy='run with record=["potentials"]')
    course = recording.potentials_over_time
    named = predictions_over_time(network.readout, course) if recording.output_spikes is not None else None
    first = network.readout.first_step
    value, low, high = (np.empty(course.shape[1]) for _ in range(3))
    for t in range(course.shape[1]):
        outputs = over_time(network.readout, course[:, t], network.readout.scale * max(1, t + 1 - first))
        scores = kind.score(Answers(outputs, None if named is None else named[:, t]), y)
        value[t], (low[t], high[t]) = scores.value, scores.interval95
    return LatencyCurve(kind.metric, value, low, high, len(y), network.begins[network.readout.name])


def predictions_over_time(readout: Readout, potentials: Array) -> Array:
    """Classes after each step, (N, T), from potentials (N, T, classes), as `loihiconv.core.classification.decide` decides."""
    flat = potentials.reshape(*potentials.shape[:2], -1)
    if readout.decision == "potential":
        return np.asarray(flat.argmax(axis=2))
    won = softmax_spikes(readout, potentials).cumsum(axis=1, dtype=np.int32)
    best = won == won.max(axis=2, keepdims=True)
    return np.asarray(np.where(best, flat.astype(np.float64), -np.inf).argmax(axis=2))


def confusion(predictions: Array, y: Array, classes: int) -> Array:
    """How often each class is taken for which: int64 (classes, classes), rows are labels, columns predictions."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (np.asarray(y, np.int64), np.asarray(predictions, np.int64)), 1)
    return matrix
