"""What a realization costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihiconv.backends.cost import SAMPLES, measure_cost
from loihiconv.core.linear import Dense
from loihiconv.core.network import Connection
from loihiconv.core.record import RealizationRecord
from tests.lava.small import chain


def test_by_hand() -> None:
    """The second network's classes are exchanged."""
    net = chain()
    other = replace(
        net, connections=(net.connections[0], Connection("hidden", "readout", Dense(net.connections[1].map.weight[::-1].copy())))
    )
    record = RealizationRecord("netx", quantized_again=True, ratio=3.0, corrected=True)
    other = replace(other, record=replace(other.record, realization=record))
    x = np.full((4, 4), 255.0)
    cost = measure_cost(net, other, x, np.array([0, 0, 0, 1]))
    assert (cost.samples, cost.agreement, cost.before, cost.after, cost.ratio) == (4, 0.0, 0.75, 0.25, 3.0)
    assert str(cost) == (
        "reset to zero, at a ratio of 3 of threshold to input, with biases corrected for it: "
        "25.00% of 4 samples are right, 75.00% were before (emulator)"
    )
    unlabelled = measure_cost(net, net, np.full((SAMPLES + 5, 4), 255.0), None)
    assert (unlabelled.samples, unlabelled.before, unlabelled.after) == (SAMPLES, None, None)
    assert str(unlabelled) == "as it was converted: 100.00% of 500 samples get the class that they had"
