"""Lava's maps compute the same sums."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings

from loihiconv.core.linear import Array
from loihiconv.lava.layout import LavaConv, LavaDense, LavaSparse, lava_map, lava_views
from tests.strategies import Case, cases


def true_convolution(conv: LavaConv, x: Array) -> Array:
    """Lava's definition on an input (W, H, C): padded, kernel flipped, every stride-th window."""
    (pw, ph), (sw, sh), (dw, dh) = conv.padding, conv.stride, conv.dilation
    x = np.pad(x, ((pw, pw), (ph, ph), (0, 0)))
    c_out, kw, kh, per_group = conv.weight.shape
    w_out, h_out = (x.shape[0] - (kw - 1) * dw - 1) // sw + 1, (x.shape[1] - (kh - 1) * dh - 1) // sh + 1
    y = np.zeros((w_out, h_out, c_out), np.int64)
    for a, b, o, i, j in product(*map(range, (w_out, h_out, c_out, kw, kh))):
        first = o // (c_out // conv.groups) * per_group
        pixel = x[a * sw + (kw - 1 - i) * dw, b * sh + (kh - 1 - j) * dh, first : first + per_group]
        y[a, b, o] += pixel @ conv.weight[o, i, j]
    return y


@settings(max_examples=100, deadline=None)
@given(case=cases(max_timesteps=1, max_samples=1))
def test_lavas_maps_compute_the_same_sums(case: Case) -> None:
    network, rng = case.network, np.random.default_rng(0)
    views = lava_views(network)
    for connection in network.connections:
        source = network[connection.source].shape
        x = rng.integers(-5, 6, (1, *source))
        expected = connection.map.apply(x)[0].reshape(views[connection.target]).T
        inside = x[0].reshape(views[connection.source]).T
        mapped = lava_map(network, connection, views)
        if isinstance(mapped, LavaDense | LavaSparse):
            assert np.array_equal((mapped.weight @ inside.ravel()).reshape(expected.shape), expected)
        else:
            assert np.array_equal(true_convolution(mapped, inside), expected)
