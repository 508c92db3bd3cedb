"""Worst cases by hand."""

from __future__ import annotations

import numpy as np

from loihiconv.core.bounds import worst_cases, worst_sums
from loihiconv.core.linear import Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout


def network(*, signed: bool = False) -> Network:
    """Payloads of up to 10 into two neurons, whose spikes carry up to 3 into a readout with a delay of 1."""
    populations = (
        Input("input", (2,), payload_max=10, signed=signed),
        IF("a", (2,), 100, np.array([7], np.int32), np.array([-64], np.int32), payload_max=3),
        Readout("out", (1,), np.array([-5], np.int32), np.array([0], np.int32), delay=1),
    )
    connections = (
        Connection("input", "a", Dense(np.array([[2, -4], [6, 8]], np.int32))),
        Connection("a", "out", Dense(np.array([[2, -6]], np.int32))),
    )
    return Network(populations, connections, 4, fixed_point=True)


def test_sums_rise_and_fall_by_what_messages_can_be() -> None:
    net = network()
    rising, falling = worst_sums(net, net.input, net["a"], net.incoming("a"))
    assert (rising.tolist(), falling.tolist()) == ([20, 140], [40, 0])
    net = network(signed=True)
    rising, falling = worst_sums(net, net.input, net["a"], net.incoming("a"))
    assert (rising.tolist(), falling.tolist()) == ([60, 140], [60, 140])


def test_potentials_add_biases_and_start_over_the_steps_that_count() -> None:
    """a: 4 (64 x 140 + 64) + 7; readout: 3 x 64 x 18 + 5."""
    found = worst_cases(network())
    assert (found["a"].sum, found["a"].v) == (140, 4 * (64 * 140 + 64) + 7)
    assert (found["out"].sum, found["out"].v) == (18, 3 * 64 * 18 + 5)
