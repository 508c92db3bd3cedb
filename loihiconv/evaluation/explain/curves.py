"""Accuracy against time from one run, and which classes are taken for which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loihiconv.core.classification import softmax_spikes
from loihiconv.core.errors import InvalidData
from loihiconv.core.linear import Array
from loihiconv.core.network import Network, Readout, Recording
from loihiconv.evaluation.metrics import wilson


@dataclass(frozen=True, eq=False)
class LatencyCurve:
    """Accuracy after each time step.

    Attributes
    ----------
    accuracy, low, high : float arrays (T,)
        After step 1, 2, ..., T, with Wilson's 95 % interval.
    n : int
    depth : int
        Steps from the input to the readout: the answer of step t is there depth steps after it.
    """

    accuracy: Array
    low: Array
    high: Array
    n: int
    depth: int

    def latency(self, target: float) -> int | None:
        """The first step from which accuracy never falls below ``target`` again; None if it ends below."""
        below = np.flatnonzero(self.accuracy < target)
        if len(below) and below[-1] == len(self.accuracy) - 1:
            return None
        return int(below[-1]) + 2 if len(below) else 1


def latency_curve(network: Network, recording: Recording, y: Array) -> LatencyCurve:
    """What accuracy fewer time steps would have had, from one run of all of them.

    Spikes of the first t steps do not depend on later ones, so this is exactly what a run with T = t gives; only what conversion
    would do otherwise for a smaller T (bias correction, the readout's gain) is not in it.

    Parameters
    ----------
    network : Network
        That was run.
    recording : Recording
        With ``record=["potentials"]``.
    y : int array (N,)
    """
    if recording.potentials_over_time is None:
        raise InvalidData("the recording has no potentials over time", where="latency", remedy='run with record=["potentials"]')
    predictions = predictions_over_time(network.readout, recording.potentials_over_time)
    correct = (predictions == np.asarray(y)[:, None]).sum(axis=0)
    n = len(y)
    intervals = np.array([wilson(int(c), n) for c in correct])
    return LatencyCurve(correct / n, intervals[:, 0], intervals[:, 1], n, network.depth[network.readout.name])


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
