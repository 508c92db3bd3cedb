"""Narrow arithmetic is chosen only where it is exact, up to the edge of the bound."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.core.linear import Conv, Dense
from loihiconv.simulator.synapses import Synapses
from tests.simulator.nets import between


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 2, 4]),
    st.tuples(*[st.integers(1, 3)] * 2),
    st.tuples(*[st.integers(-1, 2)] * 4),
    st.sampled_from([127, 128, 254, 255]),
    st.booleans(),
)
def test_int8_product_equals_reference(
    seed: int, groups: int, stride: tuple[int, int], padding: tuple[int, int, int, int], limit: int, even: bool
) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.integers(-limit, limit + 1, (groups * 3, 4 // groups, 3, 2)).astype(np.int32)
    weight = weight // 2 * 2 if even else weight
    linear = Conv(np.clip(weight, -limit, limit), stride, padding, groups=groups)
    network, connection = between(linear, (4, 7, 6))
    synapses = Synapses(network, connection, torch.device("cpu"))
    spikes = rng.integers(0, 2, (5, 4, 7, 6)).astype(np.uint8)
    flat = torch.from_numpy(np.ascontiguousarray(spikes.transpose(0, 2, 3, 1)).reshape(5, -1))
    expected = linear.apply(spikes.astype(np.int64)).transpose(0, 2, 3, 1).reshape(5, -1)
    np.testing.assert_array_equal(synapses(flat).numpy(), expected * 64)
    np.testing.assert_array_equal(synapses.float32(flat).numpy(), expected * 64)
    portable = Synapses(network, connection, torch.device("cpu"), portable=True)
    np.testing.assert_array_equal(portable(flat).numpy(), expected * 64)


@pytest.mark.parametrize("weights", [2, 255])
def test_one_column_and_a_stride(weights: int) -> None:
    """For such convolutions oneDNN gives numbers from beside the image, in most calls of more than a few samples."""
    rng = np.random.default_rng(0)
    geometries = (((1, 4, 2), (1, 2), (1, 2)), ((3, 5, 3), (1, 3), (1, 2)), ((4, 6, 4), (2, 3), (1, 2)), ((2, 1, 6), (1, 2), (3, 2)))
    for source, kernel, stride in geometries:
        linear = Conv(rng.integers(-weights, weights + 1, (3, source[0], *kernel)).astype(np.int32), stride)
        network, connection = between(linear, source)
        synapses = Synapses(network, connection, torch.device("cpu"))
        for samples in (1, 8, 40):
            spikes = rng.integers(0, 2, (samples, *source)).astype(np.uint8)
            flat = torch.from_numpy(np.ascontiguousarray(spikes.transpose(0, 2, 3, 1)).reshape(samples, -1))
            expected = linear.apply(spikes.astype(np.int64)).transpose(0, 2, 3, 1).reshape(samples, -1) * 64
            np.testing.assert_array_equal(synapses(flat).numpy(), expected)
            np.testing.assert_array_equal(synapses.float32(flat).numpy(), expected)


@pytest.mark.parametrize(
    ("value", "narrow"), [(127, True), (128, True), (254, True), (129, False), (255, False), (-127, True), (-129, False)]
)
def test_bytes_only_where_weights_fit(value: int, narrow: bool) -> None:
    network, connection = between(Dense(np.full((3, 8), value, np.int32)), (8,))
    synapses = Synapses(network, connection, torch.device("cpu"))
    assert synapses.int8 is None or narrow
    spikes = torch.ones((2, 8), dtype=torch.uint8)
    assert (synapses(spikes) == 8 * value * 64).all()


def test_largest_sum_is_exact() -> None:
    """Every weight 254 with all inputs on, just below the 2^17 at which u wraps."""
    fan_in = 2**17 // 254
    network, connection = between(Dense(np.full((2, fan_in), 254, np.int32)), (fan_in,))
    synapses = Synapses(network, connection, torch.device("cpu"))
    assert (synapses(torch.ones((1, fan_in), dtype=torch.uint8)) == 254 * fan_in * 64).all()
