"""Networks whose connections have kernels of their own, against the naive simulator and against torch's operations alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.core.errors import LimitExceeded
from loihiconv.core.linear import Conv, Dense, LinearMap
from loihiconv.core.network import IF, Connection, Input, Network, Population, Readout
from loihiconv.simulator import int8, memory, simulate
from loihiconv.simulator.kernels import Kernels
from tests import naive
from tests.simulator.nets import check_equal


def separable(seed: int, channels: int, coding: str, timesteps: int, limit: int, graded: tuple[int, ...] = (1,) * 5) -> Network:
    """A convolution, two pairs of a depthwise and a pointwise one, and a readout; with random weights, and largest payloads if so."""
    rng = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return rng.integers(-limit // 2, limit // 2 + 1, shape).astype(np.int32) * 2

    maps: list[LinearMap] = [
        Conv(weights(channels, 2, 3, 3), padding=(1,) * 4),
        Conv(weights(channels, 1, 3, 3), padding=(1,) * 4, groups=channels),
        Conv(weights(2 * channels, channels, 1, 1)),
        Conv(weights(2 * channels, 1, 3, 3), (2, 2), (1,) * 4, groups=2 * channels),
        Conv(weights(5, 2 * channels, 1, 1)),
    ]
    populations: list[Population] = [Input("input", (2, 5, 4), coding, payload_max=15)]
    for i, linear in enumerate(maps):
        shape = linear.output_shape(populations[-1].shape)
        bias = rng.integers(-2000, 2000, (shape[0], 1, 1)).astype(np.int32) * 64
        vth = int(rng.integers(1, limit * 4))
        populations.append(
            IF(
                f"layer{i}",
                shape,
                vth,
                np.asarray(vth * 32, np.int32),
                bias,
                "zero" if i == 1 and graded[1] == 1 else "subtract",
                graded[i],
            )
        )
    zero = np.zeros(1, np.int32)
    populations.append(Readout("readout", (3,), zero, zero))
    maps.append(Dense(weights(3, int(np.prod(populations[-2].shape)))))
    connections = [Connection(a.name, b.name, m) for (a, b), m in zip(pairwise(populations), maps, strict=True)]
    return Network(tuple(populations), tuple(connections), timesteps, fixed_point=True)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([8, 16]),
    st.sampled_from(["analog", "rate"]),
    st.integers(1, 11),
    st.sampled_from([3, 40, 254]),
    st.booleans(),
)
def test_equal_naive_and_portable(seed: int, channels: int, coding: str, timesteps: int, limit: int, cut: bool) -> None:
    network = separable(seed, channels, coding, timesteps, limit)
    x = np.random.default_rng(seed).integers(0, 16, (3, 2, 5, 4)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(int8, "has_fast_matmul", lambda: True)
        kernels = Kernels(network, torch.device("cpu"), portable=False)
        assert set(kernels.depthwise) == {"layer1", "layer3"}
        assert set(kernels.products) == {"layer2", "layer4"}
        if cut:
            patch.setattr(memory, "plan", lambda net, *_, **__: memory.Blocks(2, net.timesteps if net.silent_steps else 4))
            patch.setattr(memory, "SMALL_BLOCK_BYTES", 4 * 40 * channels * 3)
            patch.setattr(memory, "BLOCK_BYTES", 1)
        found = simulate(network, x, record=("spikes", "potentials", "residuals"))
    check_equal(found, simulate(network, x, record=("spikes", "potentials", "residuals"), portable=True))
    expected = naive.simulate(network, x)
    for name, spikes in expected.spikes.items():
        np.testing.assert_array_equal(found.spikes[name], spikes, err_msg=name)
    np.testing.assert_array_equal(found.potentials_over_time, expected.potentials_over_time)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.lists(st.sampled_from([1, 3, 127, 255]), min_size=5, max_size=5), st.booleans())
def test_graded_spikes_take_no_kernel_of_binary_ones(seed: int, timesteps: int, graded: list[int], cut: bool) -> None:
    """Every mixture of binary and graded layers; payloads of 7 bits are multiplied as bytes, those of 8 as float32."""
    network = separable(seed, 8, "rate", timesteps, 6, tuple(graded))
    x = np.random.default_rng(seed).integers(0, 16, (3, 2, 5, 4)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(int8, "has_fast_matmul", lambda: True)
        kernels = Kernels(network, torch.device("cpu"), portable=False)
        binary = {f"layer{i}" for i in range(1, 5) if graded[i] == graded[i - 1] == 1}
        assert set(kernels.depthwise) == binary & {"layer1", "layer3"}
        assert set(kernels.products) == {f"layer{i}" for i in (2, 4) if graded[i - 1] == 1}
        assert all((kernels.synapses[c].int8 is None) == (network[c.source].largest_message == 255) for c in network.connections)
        if cut:
            patch.setattr(memory, "plan", lambda net, *_, **__: memory.Blocks(2, net.timesteps if net.silent_steps else 2))
            patch.setattr(memory, "BLOCK_BYTES", 1)
        found = simulate(network, x, record=("spikes", "potentials", "residuals"))
    check_equal(found, simulate(network, x, record=("spikes", "potentials", "residuals"), portable=True))
    naive.check_spikes(found, naive.simulate(network, x))


@pytest.mark.parametrize("second", [32896, 32897])
def test_sums_over_several_connections_stay_exact(second: int) -> None:
    """Two connections whose sums are exact, one alone; together they reach 2^24 - 1, and more."""
    zero = np.zeros(1, np.int32)
    populations = (Input("input", (1,), payload_max=255), IF("a", (1,), 1, zero, zero), Readout("readout", (1,), zero, zero))
    # 255 x 32896 = 8,388,480 of 2^24 - 1 = 16,777,215
    connections = (
        Connection("input", "a", Dense(np.full((1, 1), 2, np.int32))),
        Connection("a", "readout", Dense(np.full((1, 1), 2**24 - 1 - 255 * 32896, np.int32))),
        Connection("input", "readout", Dense(np.full((1, 1), -second, np.int32))),
    )
    network = Network(populations, connections, 3, fixed_point=True)
    if second > 32896:
        with pytest.raises(LimitExceeded, match="over all connections can reach 16777470"):
            simulate(network, np.ones((1, 1)))
        return
    recording, expected = simulate(network, np.full((1, 1), 255.0)), (2**24 - 1 - 2 * 255 * 32896) * 64
    assert recording.potentials[0, 0] == max(expected * 3, -(2**23 - 1))
