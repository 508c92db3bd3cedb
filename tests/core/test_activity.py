"""Spikes and synaptic operations, counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihiconv.core.activity import activity, fan_out
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout

NOTHING = np.zeros(1, np.int32)


def test_synapses_of_weight_zero_are_none() -> None:
    assert fan_out(Dense(np.array([[1, 0, -2], [0, 0, 3]])), (3,)).tolist() == [1, 0, 2]


def test_neurons_at_a_border_have_fewer() -> None:
    """3x3 with padding over 3x3 pixels: 4 windows see a corner, 6 an edge, 9 the middle; a tap of weight 0 is no synapse."""
    windows = Conv(np.ones((1, 1, 3, 3), np.int32), padding=(1, 1, 1, 1))
    assert fan_out(windows, (1, 3, 3)).tolist() == [[[4, 6, 4], [6, 9, 6], [4, 6, 4]]]
    weight = windows.weight.copy()
    weight[0, 0, 1, 1] = 0  # every pixel's own window
    assert fan_out(windows.with_weight(weight), (1, 3, 3)).tolist() == [[[3, 5, 3], [5, 8, 5], [3, 5, 3]]]


def test_a_run_by_hand() -> None:
    """2 samples, T = 4: payloads arrive at each step, spikes when they are sent; what the host sums up takes nothing."""
    populations = (Input("input", (2,), payload_max=7), IF("a", (2,), 1, NOTHING, NOTHING), Readout("out", (3,), NOTHING, NOTHING))
    connections = (Connection("input", "a", Dense(np.array([[2, 2], [0, 2]]))), Connection("a", "out", Dense(np.full((3, 2), 2))))
    network = Network(populations, connections, 4, fixed_point=True)
    found = activity(network, {"a": np.array([5, 1])}, {"input": np.array([2, 1])}, 2)
    assert (dict(found.firing_rates), found.firing_rate) == ({"a": 6 / 16}, 6 / 16)
    assert found.synaptic_operations == (4 * (2 * 1 + 1 * 2) + (5 + 1) * 3) / 2
    on_host = replace(network, connections=(replace(connections[0], on_host=True), connections[1]))
    assert activity(on_host, {"a": np.array([5, 1])}, {"input": np.array([2, 1])}, 2).synaptic_operations == 9
