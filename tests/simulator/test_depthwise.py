"""Depthwise convolution and integrate-and-fire in one kernel against the two one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import V_MAX
from loihiconv.simulator import depthwise
from loihiconv.simulator.depthwise import EXACT_INT16, Depthwise
from loihiconv.simulator.neurons import Firing


def check(linear: Conv, spikes: np.ndarray, threshold: int, to_zero: bool = False, seed: int = 0) -> torch.Tensor:
    """Spikes (N, T, C, H, W) through the kernel and through sums and torch's operations; the potentials at the end."""
    n, steps, *source = spikes.shape
    target = linear.output_shape(tuple(source))
    size = int(np.prod(target))
    rng = np.random.default_rng(seed)
    v, bias = (rng.integers(-5000, 5000, (rows, size)).astype(np.int32) for rows in (n, rng.choice([1, n])))
    sums = linear.apply(spikes.reshape(-1, *source).astype(np.int64)).transpose(0, 2, 3, 1).reshape(-1, size) * 64
    assert np.abs(sums).max(initial=0) < 2**30
    found = []
    for portable in (False, True):
        out, counts = torch.full((n, steps, size), 7, dtype=torch.uint8), torch.zeros((1, size), dtype=torch.int32)
        state, ends = torch.from_numpy(v.copy()), torch.zeros((n, size), dtype=torch.uint8)
        firing = Firing(
            torch.from_numpy(bias),
            state,
            threshold=threshold * 64.0,
            v_max=V_MAX,
            to_zero=to_zero,
            spikes=out,
            counts=counts,
            ends=ends,
            portable=portable,
        )
        if portable:
            firing.advance(torch.from_numpy(sums.astype(np.int32)), slice(0, n), slice(0, steps))
        else:
            flat = np.ascontiguousarray(spikes.transpose(0, 1, 3, 4, 2)).reshape(n, steps, -1)
            Depthwise([linear], [tuple(source)], target).advance([torch.from_numpy(flat)], firing, 6)
        found.append((out, counts, state, ends))
    for kernel, reference in zip(*found, strict=True):
        assert torch.equal(kernel, reference)
    return found[0][2]


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    channels=st.sampled_from([8, 16, 24, 32, 56, 64]),
    group=st.sampled_from([1, 1, 2, 4, 8]),
    kernel=st.tuples(*[st.integers(1, 4)] * 2),
    stride=st.tuples(*[st.integers(1, 3)] * 2),
    dilation=st.tuples(*[st.integers(1, 2)] * 2),
    padding=st.tuples(*[st.integers(-1, 4)] * 3, st.integers(0, 4)),  # 7 of 8 columns at least, which the widest kernel takes
    steps=st.integers(1, 9),
    to_zero=st.booleans(),
)
def test_equals_convolution_and_neurons(
    seed: int,
    channels: int,
    group: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: tuple[int, int, int, int],
    steps: int,
    to_zero: bool,
) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.integers(-254 // group, 255 // group, (channels, group, *kernel)).astype(np.int32)
    linear = Conv(weight, stride, padding, dilation, channels // group)
    assert Depthwise.fits([linear])
    spikes = (rng.random((2, steps, channels, 9, 8)) < rng.choice([0.1, 0.5, 1.0])).astype(np.uint8)
    check(linear, spikes, int(rng.integers(1, 1000)), to_zero, seed)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), samples=st.integers(1, 5), number=st.integers(2, 4), channels=st.sampled_from([8, 40]))
def test_several_connections_are_one_sum(seed: int, samples: int, number: int, channels: int) -> None:
    """Of other sizes, strides and windows each, most of whose weights may be 0; and in pieces of one sample, or of more."""
    rng = np.random.default_rng(seed)
    maps, sources = [], []
    for _ in range(number):
        kernel, stride = rng.integers(1, 4, 2), rng.integers(1, 3, 2)
        group = int(rng.choice([1, 2, 4]))
        weight = rng.integers(-99, 99, (channels, group, *kernel)) * (rng.random((1, 1, *kernel)) < 0.4)
        maps.append(Conv(weight.astype(np.int32), tuple(stride.tolist()), groups=channels // group))
        sources.append((channels, *((np.array([3, 4]) - 1) * stride + kernel).tolist()))
    assert Depthwise.fits(maps)
    spikes = [(rng.random((samples, 3, *source)) < 0.5).astype(np.uint8) for source in sources]
    applied = [m.apply(s.reshape(-1, *source).astype(np.int64)) for m, s, source in zip(maps, spikes, sources, strict=True)]
    sums = torch.from_numpy(sum(applied).transpose(0, 2, 3, 1).reshape(samples * 3, -1).astype(np.int32) * 64)
    v, bias = (torch.from_numpy(rng.integers(-5000, 5000, (samples, sums.shape[1])).astype(np.int32)) for _ in range(2))
    found = []
    for way in ("reference", "one", "many"):
        out, counts, state = torch.zeros((samples, 3, sums.shape[1]), dtype=torch.uint8), torch.zeros_like(v), v.clone()
        limits: dict[str, Any] = {"threshold": 5000.0, "v_max": V_MAX, "to_zero": False}
        ends = torch.zeros(v.shape, dtype=torch.uint8)
        firing = Firing(bias, state, **limits, spikes=out, counts=counts, ends=ends, portable=way == "reference")
        if way == "reference":
            firing.advance(sums, slice(0, samples), slice(0, 3))
        else:
            flat = [torch.from_numpy(np.ascontiguousarray(s.transpose(0, 1, 3, 4, 2)).reshape(samples, 3, -1)) for s in spikes]
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(depthwise, "SMALL_BLOCK_BYTES", 1 if way == "one" else 2**20)
                Depthwise(maps, sources, (channels, 3, 4)).advance(flat, firing, 6)
        found.append((out, counts, state, ends))
    assert all(torch.equal(a, b) for others in found[1:] for a, b in zip(found[0], others, strict=True))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("channels", [8, 16, 32])
def test_exact_up_to_the_largest_int16(sign: int, channels: int) -> None:
    """All 129 inputs on, with magnitudes that add up to 2^15 - 1, and to one more."""
    weight = np.full((channels, 1, 3, 43), sign * 254, np.int32)
    weight[:, 0, 0, 0] += sign * (EXACT_INT16 - 129 * 254)
    linear = Conv(weight, groups=channels)
    assert abs(int(weight[0].sum())) == EXACT_INT16
    assert Depthwise.fits([linear])
    v = check(linear, np.ones((1, 3, channels, 3, 43), np.uint8), 131071)
    assert (v.abs() > 2 * EXACT_INT16 * 64).all()  # three sums, and what start potentials and biases take away
    weight[:, 0, 0, 1] += sign
    assert not Depthwise.fits([Conv(weight, groups=channels)])


def test_only_depthwise_convolutions() -> None:
    def conv(*shape: int, groups: int) -> Conv:
        return Conv(np.ones(shape, np.int32), groups=groups)

    assert Depthwise.fits([conv(16, 1, 3, 3, groups=16)])
    assert not Depthwise.fits([conv(32, 1, 3, 3, groups=16)])  # two kernels per channel
    assert Depthwise.fits([conv(16, 2, 3, 3, groups=8)])  # pairs of channels
    assert not Depthwise.fits([conv(18, 3, 3, 3, groups=6)])  # threes are no word
    assert not Depthwise.fits([conv(32, 16, 3, 3, groups=2)])
    assert not Depthwise.fits([conv(12, 1, 3, 3, groups=12)])  # no multiple of 8
    assert not Depthwise.fits([Dense(np.ones((8, 8), np.int32))])


def test_float_weights_with_float_potentials() -> None:
    rng = np.random.default_rng(0)
    linear = Conv(rng.normal(size=(24, 1, 3, 3)).astype(np.float32), padding=(1,) * 4, groups=24)
    spikes = rng.integers(0, 2, (2, 7, 24, 5, 5)).astype(np.uint8)
    sums = linear.apply(spikes.reshape(14, 24, 5, 5).astype(np.float64)).transpose(0, 2, 3, 1).reshape(2, 7, -1)
    v, out = torch.zeros((2, 600)), torch.zeros((2, 7, 600), dtype=torch.uint8)
    firing = Firing(
        torch.zeros((1, 600)),
        v,
        threshold=1.0,
        v_max=float("inf"),
        to_zero=False,
        spikes=out,
        counts=torch.zeros((1, 600), dtype=torch.int32),
        ends=torch.zeros((2, 600), dtype=torch.uint8),
    )
    assert Depthwise.fits([linear])
    flat = torch.from_numpy(np.ascontiguousarray(spikes.transpose(0, 1, 3, 4, 2)).reshape(2, 7, -1))
    Depthwise([linear], [(24, 5, 5)], (24, 5, 5)).advance([flat], firing, 0)
    np.testing.assert_allclose(v.numpy(), sums.sum(axis=1) - out.numpy().sum(axis=1), atol=1e-4)
    fired = np.cumsum(sums, axis=1) - np.cumsum(out.numpy(), axis=1) + out.numpy() > 1
    assert (fired == out.numpy()).mean() > 0.999
