"""Gates of max-pooling: the compiled kernels against torch's operations, block by block."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.core.linear import Conv
from loihiconv.core.network import MaxPool
from loihiconv.simulator.pooling import Gates


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    channels=st.sampled_from([1, 3, 8, 13, 32, 75]),
    kernel=st.tuples(*[st.integers(1, 3)] * 2),
    stride=st.tuples(*[st.integers(1, 3)] * 2),
    padding=st.tuples(*[st.integers(0, 2)] * 4),
    payload=st.sampled_from([1, 1, 3, 255]),
    average=st.booleans(),
)
def test_kernels_equal_torch(
    seed: int,
    channels: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    payload: int,
    average: bool,
) -> None:
    rng, source = np.random.default_rng(seed), (channels, 6, 5)
    windows = Conv(np.ones((channels, 1, *kernel), np.int32), stride, padding, groups=channels)
    shape = windows.output_shape(source)
    population = MaxPool("pool", shape, "average" if average and payload == 1 else "count", payload_max=payload)
    gates = [Gates(population, windows, source, 2, torch.device("cpu"), portable=p) for p in (False, True)]
    for steps in (4, 3):
        rate = rng.choice([0.1, 0.6])
        spikes = (rng.integers(1, payload + 1, (2, steps, 30 * channels)) * (rng.random((2, steps, 30 * channels)) < rate)).astype(np.uint8)
        out = [torch.full((2, steps, int(np.prod(shape))), 9, dtype=torch.uint8) for _ in gates]
        for g, o in zip(gates, out, strict=True):
            g.advance(torch.from_numpy(spikes), o)
        assert torch.equal(*out)
        assert torch.equal(gates[0].counts, gates[1].counts)
