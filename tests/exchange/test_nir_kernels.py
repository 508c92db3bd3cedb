"""Convolutions with symmetric padding are the same maps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihiconv.core.linear import Conv
from loihiconv.exchange.nir_kernels import misread, symmetric, undilated


@given(
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    padding=st.tuples(*[st.integers(-2, 3)] * 4),
    groups=st.sampled_from((1, 2)),
    seed=st.integers(0, 999),
)
def test_the_map_stays(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: tuple[int, int, int, int],
    groups: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    conv = Conv(rng.integers(-9, 10, (2, 2 // groups, *kernel)).astype(float), stride, padding, dilation, groups)
    x = rng.integers(-9, 10, (2, 2, 9, 10)).astype(float)
    try:
        expected = conv.apply(x)
    except ValueError:
        return
    for same in (symmetric(conv), undilated(conv)):
        np.testing.assert_array_equal(same.apply(x), expected)
    (top, bottom, left, right), (kh, kw) = symmetric(conv).padding, symmetric(conv).weight.shape[2:]
    assert top == bottom >= 0
    assert left == right >= 0
    if (conv.extent[0] - conv.extent[1] - sum(padding[:2]) + sum(padding[2:])) % 2 == 0:
        assert kh == kw or symmetric(conv) is conv


def test_what_is_square_and_symmetric_is_left_alone() -> None:
    conv = Conv(np.ones((1, 1, 3, 3)), (2, 2), (1, 1, 1, 1), (2, 2))
    assert symmetric(conv) is conv
    assert not misread(conv)


@pytest.mark.parametrize("conv", [Conv(np.ones((2, 1, 3, 3)), groups=2), Conv(np.ones((1, 1, 1, 2)))])
def test_what_nir_takes_for_another_shape(conv: Conv) -> None:
    assert misread(conv)
