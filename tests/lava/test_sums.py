"""Sums of the worker's own models against the maps that they stand for."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from loihiconv.lava.layout import LavaDense, LavaSparse, lava_map, lava_views
from loihiconv.lava.sums import DenseSums, Synapses, exact_type
from tests.strategies import Case, cases


def test_the_narrowest_type_that_loses_no_bit() -> None:
    assert exact_type(np.array([2**16 - 1]), 8) is np.float32
    assert exact_type(np.array([2**16]), 8) is np.float64
    assert exact_type(np.array([2**24 - 1]), 0) is np.float32
    assert exact_type(np.array([2**24]), 0) is np.float64
    assert exact_type(np.array([], int), 8) is np.float32


def test_few_and_many_messages_give_the_same() -> None:
    weight = np.random.default_rng(0).integers(-254, 255, (5, 40))
    sums = DenseSums(weight, 0)
    for active in (0, 3, 10, 11, 40):
        x = (np.arange(40) < active).astype(np.int32)
        np.testing.assert_array_equal(sums(x), weight @ x)


@settings(max_examples=60)
@given(case=cases(max_timesteps=1, max_samples=1))
def test_connections_compute_their_maps(case: Case) -> None:
    network, rng = case.network, np.random.default_rng(0)
    views = lava_views(network)
    for connection in network.connections:
        bits = max(network[c.source].largest_message for c in network.connections if c is connection).bit_length()
        shift = 0 if connection.on_host else connection.weight_exp
        source, target = views[connection.source], views[connection.target]
        synapses = Synapses(lava_map(network, connection, views), source[::-1], target[::-1], bits, shift)
        for high in (0, 2, 2):
            x = rng.integers(0, high + 1, (1, *network[connection.source].shape))
            expected = np.right_shift(connection.map.apply(x)[0], -shift).reshape(target).T
            np.testing.assert_array_equal(synapses(x[0].reshape(source).T), expected)
        assert isinstance(synapses.linear, LavaDense | LavaSparse) or synapses.linear.weight.ndim == 4
