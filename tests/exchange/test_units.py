"""Units at the input and the readout change no spike."""

from __future__ import annotations

import numpy as np

from loihiconv.core.linear import Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout
from loihiconv.exchange.units import largest_output, with_units
from loihiconv.simulator import simulate
from tests.exchange.naive_nir import eighths


def network() -> Network:
    rng, zero = np.random.default_rng(0), np.zeros(1, np.float32)
    neurons = IF("a", (4,), 1.0, zero, eighths(rng, 4), payload_max=3)
    return Network(
        (Input("in", (3,)), neurons, Readout("out", (2,), zero, eighths(rng, 2))),
        (Connection("in", "a", Dense(eighths(rng, 4, 3))), Connection("a", "out", Dense(eighths(rng, 2, 4)))),
        8,
    )


def test_the_function_stays() -> None:
    net, x = network(), np.abs(eighths(np.random.default_rng(1), 5, 3))
    other = with_units(net, 4.0, 8.0, signed=True)
    assert (other.input.scale, other.input.signed, other.readout.scale) == (4.0, True, 1 / 8)
    a, b = simulate(net, x), simulate(other, x)
    np.testing.assert_array_equal(a.spike_counts["a"], b.spike_counts["a"])
    np.testing.assert_allclose(a.potentials / net.readout.scale, b.potentials / other.readout.scale)


def test_the_largest_output_by_hand() -> None:
    net = network()
    weight, bias = np.abs(net.connections[1].map.weight), np.abs(net.readout.bias)
    assert largest_output(net) == float((3 * weight.sum(axis=1) + bias).max())
