"""Worst cases by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihiconv.core.bounds import worst_cases, worst_sums
from loihiconv.core.linear import Conv, Dense
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
    rising, falling = worst_sums(net, {}, net["a"], net.incoming("a"))
    assert (rising.tolist(), falling.tolist()) == ([20, 140], [40, 0])
    net = network(signed=True)
    rising, falling = worst_sums(net, {}, net["a"], net.incoming("a"))
    assert (rising.tolist(), falling.tolist()) == ([60, 140], [60, 140])


def test_potentials_add_biases_and_start_over_the_steps_that_count() -> None:
    """a: 4 (64 x 140 + 64) + 7; readout: 3 x 64 x 18 + 5."""
    found = worst_cases(network())
    assert (found["a"].sum, found["a"].v) == (140, 4 * (64 * 140 + 64) + 7)
    assert (found["out"].sum, found["out"].v) == (18, 3 * 64 * 18 + 5)


def test_payloads_that_are_not_chosen_yet_count_in_place_of_the_networks() -> None:
    net = network()
    rising, _ = worst_sums(net, {"input": replace(net.input, payload_max=1)}, net["a"], net.incoming("a"))
    assert rising.tolist() == [2, 14]


def test_a_shift_rounds_towards_minus_infinity() -> None:
    """20 and -40 are shifted to 2 and -5 by 3 bits; 140 becomes 17, of 17.5; a sum of -38 becomes -5, of -4.75."""
    net = network()
    shifted = replace(net.connections[0], weight_exp=-3)
    rising, falling = worst_sums(net, {}, net["a"], [shifted])
    assert (rising.tolist(), falling.tolist()) == ([2, 17], [5, 0])
    odd = replace(shifted, map=Dense(np.array([[2, -4], [6, -3]], np.int32)))
    rising, falling = worst_sums(net, {}, net["a"], [odd])
    assert (rising.tolist(), falling.tolist()) == ([2, 7], [5, 4])


def test_what_the_host_sums_is_not_shifted_and_does_not_reach_u() -> None:
    net = network()
    host = replace(net.connections[0], on_host=True, weight_exp=-3)
    assert worst_sums(net, {}, net["a"], [host])[0].tolist() == [20, 140]
    assert worst_cases(replace(net, connections=(host, net.connections[1])))["a"].sum == 0


def test_an_image_that_became_a_vector_keeps_its_channels_side_by_side() -> None:
    """Two channels of 2 x 1 pixels: each channel's sum counts for both of its pixels, one after the other."""
    one = Conv(np.array([3, 5], np.int32).reshape(2, 1, 1, 1))
    zero = np.zeros(1, np.int32)
    populations = (Input("input", (1, 2, 1), payload_max=10), Readout("out", (4,), zero, zero))
    net = Network(populations, (Connection("input", "out", one),), 4, fixed_point=True)
    assert worst_sums(net, {}, net["out"], net.connections)[0].tolist() == [30, 30, 50, 50]
