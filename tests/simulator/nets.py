"""Small networks around a connection, and recordings held against each other."""

from __future__ import annotations

import numpy as np

from loihiconv.core.linear import Conv, Dense, LinearMap
from loihiconv.core.network import IF, Connection, Input, Network, Readout, Recording


def between(linear: LinearMap, shape: tuple[int, ...]) -> tuple[Network, Connection]:
    """A connection between two spiking populations."""
    zero = np.zeros(1, np.int32)
    out = linear.output_shape(shape)
    size = int(np.prod(out))
    connection = Connection("a", "b", linear)
    one = Conv(np.ones((shape[0], 1, 1, 1), np.int32), groups=shape[0]) if len(shape) == 3 else Dense(np.eye(shape[0]).astype(np.int32))
    populations = (
        Input("in", shape, payload_max=1),
        IF("a", shape, 1, zero, zero),
        IF("b", out, 1, zero, zero),
        Readout("r", (1,), zero, zero),
    )
    maps = (Connection("in", "a", one), connection, Connection("b", "r", Dense(np.ones((1, size), np.int32))))
    return Network(populations, maps, 1, fixed_point=True), connection


def check_equal(a: Recording, b: Recording) -> None:
    """Every number that both recorded."""
    assert set(a.spikes) == set(b.spikes)
    assert set(a.payload_sums) == set(b.payload_sums)
    kinds = ("spikes", "spike_counts", "payload_sums", "residuals")
    for mine, other in ((getattr(a, kind), getattr(b, kind)) for kind in kinds):
        for name in mine:
            np.testing.assert_array_equal(mine[name], other[name], err_msg=name)
    np.testing.assert_array_equal(a.potentials_over_time, b.potentials_over_time)
    np.testing.assert_array_equal(a.predictions, b.predictions)
    assert a.synaptic_operations == b.synaptic_operations
