"""NeuroBench's metrics, by hand and against the simulator's own count."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.passes import lower
from loihiconv.core.linear import Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout
from loihiconv.demo import digits_cnn
from loihiconv.evaluation.explain.reference import read_reference
from loihiconv.evaluation.workload import float_workload, spiking_workload
from loihiconv.simulator import simulate
from tests.evaluation.good import converted, data


def test_by_hand() -> None:
    zero = np.zeros(1, np.float32)
    first, last = np.array([[1.0, 0.0], [0.5, 0.5]], np.float32), np.array([[1.0, 1.0]], np.float32)
    populations = (Input("input", (2,)), IF("a", (2,), 1.0, zero, zero), Readout("out", (1,), zero, zero))
    network = Network(populations, (Connection("input", "a", Dense(first)), Connection("a", "out", Dense(last))), 4)
    x = np.array([[1.25, 0.0]], np.float32)
    load = spiking_workload(network, simulate(network, x), x)
    # 1.25 a step fires in all four; 0.625 a step reaches 1.25 and, with 0.25 left, 1.5 at steps 2 and 4
    assert load.macs == 2 * 4  # the first input feeds both neurons, in each step
    assert load.acs == 4 + 2
    assert load.dense == (4 + 2) * 4
    assert load.activation_sparsity == pytest.approx(1 - 6 / 8)
    assert load.connection_sparsity == pytest.approx(1 / 6)
    assert load.membrane_updates == 3 * 4
    assert load.footprint == 4 * (6 + 2 + 1 + 3)  # weights, a bias per population, a threshold, potentials
    assert load.executions == 4


@pytest.mark.parametrize("options", [{}, {"input_coding": "rate"}, {"board": "nahuku32"}])
def test_operations_add_up(options: dict[str, object]) -> None:
    net, x = converted(**options), data()[2][:20]
    recording = lc.run(net, x)
    load = spiking_workload(net, recording, x)
    assert load.macs + load.acs == pytest.approx(recording.synaptic_operations)
    assert (load.macs > 0) == (not options)
    assert load.macs + load.acs < load.dense
    assert load.footprint < 4 * load.footprint


def test_float_network() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))

    load = float_workload(model, lower(read_torch(model, (2,))).ann, np.array([[1.0, 0.0], [2.0, 3.0]]))
    assert load.macs == (2 + 2) / 2 + 1  # the second input has no weight; only the first hidden unit is active
    assert load.dense == 4 + 2
    assert load.footprint == 4 * (4 + 2 + 1)
    assert load.activation_sparsity == 0.5
    origin = converted().origin
    assert origin is not None
    full = float_workload(digits_cnn(), read_reference(digits_cnn(), origin).ann, data()[2][:10])
    assert 0 < full.macs < full.dense
