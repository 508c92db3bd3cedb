"""Accuracy over time from one run is that of shorter runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.errors import InvalidData
from loihiconv.core.metric import ACCURACY, RMSE
from loihiconv.evaluation.explain.curves import LatencyCurve, confusion, latency_curve, predictions_over_time
from loihiconv.evaluation.tasks.answers import end_of_network
from loihiconv.evaluation.tasks.kinds import Classification
from loihiconv.simulator import simulate
from tests.evaluation.good import converted, data


@pytest.mark.parametrize("readout", ["potential", "softmax"])
def test_each_step_is_a_shorter_run(readout: str) -> None:
    net, x, y = converted(readout=readout, timesteps=12), data()[2][:25], data()[3][:25]
    recording = lc.run(net, x, record=["potentials"])
    assert recording.potentials_over_time is not None
    over_time = predictions_over_time(net.readout, recording.potentials_over_time)
    np.testing.assert_array_equal(over_time[:, -1], recording.predictions)
    kind = Classification(end_of_network(net))
    curve = latency_curve(net, recording, y, kind)
    assert curve.depth == 4
    for t in (1, 3, 7):
        shorter = simulate(replace(net, timesteps=t), x)
        np.testing.assert_array_equal(over_time[:, t - 1], shorter.predictions)
        assert curve.value[t - 1] == np.mean(shorter.predictions == y)
        assert curve.low[t - 1] - 1e-12 <= curve.value[t - 1] <= curve.high[t - 1] + 1e-12


def test_latency() -> None:
    accuracy = np.array([0.1, 0.8, 0.7, 0.9, 0.95, 0.94])
    curve = LatencyCurve(ACCURACY, accuracy, accuracy, accuracy, 100, 3)
    assert [curve.latency(tolerance) for tolerance in (0.9, 0.25, 0.2, 0.001, 0)] == [1, 2, 4, 5, 5]
    error = LatencyCurve(RMSE, accuracy, accuracy, accuracy, 100, 3)
    assert [error.latency(tolerance) for tolerance in (0.1, 0)] == [1, 6]


def test_needs_potentials() -> None:
    net, x = converted(), data()[2][:2]
    with pytest.raises(InvalidData, match="no potentials over time"):
        latency_curve(net, lc.run(net, x), data()[3][:2], Classification(end_of_network(net)))


def test_confusion() -> None:
    np.testing.assert_array_equal(confusion(np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2]), 3), [[1, 0, 0], [0, 1, 0], [0, 1, 1]])
