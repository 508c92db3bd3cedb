"""What a sum by events costs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loihiconv.core.linear import Dense
from loihiconv.simulator import crossover
from loihiconv.simulator.events import EventSums, Incoming


def test_costs_are_positive_times() -> None:
    sums = EventSums([Incoming(Dense(np.ones((16, 64), np.int32)), (64,), 1)], (16,), 6)
    weight = torch.ones((64, 16))
    found = crossover.costs("test", lambda s: s.to(torch.float32) @ weight, sums, [64], 16)
    assert found.row > 0
    assert found.spike > 0
    assert crossover.costs("test", lambda _: pytest.fail("timed again"), sums, [64], 16) is found
