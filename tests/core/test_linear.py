"""The linear maps against PyTorch, and their products against one after the other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from loihiconv.core.linear import CannotCompose, Conv, Dense, Shape, compose

small = st.integers(1, 3)


def random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


@st.composite
def convs(draw: st.DrawFn, c_in: int, lowest_padding: int = -1) -> Conv:
    groups = draw(st.sampled_from([g for g in (1, 2, 3, 4) if c_in % g == 0]))
    weight = random(draw(st.integers(0, 99)), groups * draw(st.integers(1, 2)), c_in // groups, draw(small), draw(small))
    padding = draw(st.tuples(*[st.integers(lowest_padding, 3)] * 4))
    return Conv(weight, draw(st.tuples(small, small)), padding, draw(st.tuples(small, small)), groups)


@st.composite
def convs_and_shapes(draw: st.DrawFn) -> tuple[Conv, Shape]:
    c_in = draw(st.integers(1, 4))
    return draw(convs(c_in)), (c_in, draw(st.integers(3, 9)), draw(st.integers(3, 9)))


def torch_conv(conv: Conv, x: torch.Tensor) -> torch.Tensor:
    top, bottom, left, right = conv.padding
    x = F.pad(x, (left, right, top, bottom))
    return F.conv2d(x, torch.as_tensor(conv.weight), None, conv.stride, 0, conv.dilation, conv.groups)


def shape_or_none(conv: Conv, shape: Shape) -> Shape | None:
    try:
        return conv.output_shape(shape)
    except ValueError:
        return None


@given(convs_and_shapes())
@settings(max_examples=60, deadline=None)
def test_conv_is_what_torch_computes(case: tuple[Conv, Shape]) -> None:
    conv, shape = case
    assume(shape_or_none(conv, shape))
    x = random(1, 2, *shape)
    expected = torch_conv(conv, torch.as_tensor(x)).numpy()
    assert conv.output_shape(shape) == expected.shape[1:]
    np.testing.assert_allclose(conv.apply(x), expected, atol=1e-12)


@given(convs_and_shapes())
@settings(max_examples=60, deadline=None)
def test_adjoint_is_the_gradient_of_what_torch_computes(case: tuple[Conv, Shape]) -> None:
    conv, shape = case
    assume(shape_or_none(conv, shape))
    x = torch.zeros(2, *shape, dtype=torch.float64, requires_grad=True)
    y = random(2, 2, *conv.output_shape(shape))
    (expected,) = torch.autograd.grad(torch_conv(conv, x), x, torch.as_tensor(y))
    np.testing.assert_allclose(conv.adjoint(y, shape), expected.numpy(), atol=1e-12)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_product_of_convolutions_is_one_after_the_other(data: st.DataObject) -> None:
    first, shape = data.draw(convs_and_shapes())
    middle = shape_or_none(first, shape)
    assume(middle)
    second = data.draw(convs(middle[0]))
    assume(shape_or_none(second, middle))
    try:
        product = compose(second, first, shape)
    except CannotCompose:
        assume(False)
    x = random(3, 2, *shape)
    np.testing.assert_allclose(product.apply(x), second.apply(first.apply(x)), atol=1e-10)


@given(convs_and_shapes())
@settings(max_examples=30, deadline=None)
def test_dense_after_convolution(case: tuple[Conv, Shape]) -> None:
    conv, shape = case
    assume(shape_or_none(conv, shape))
    dense = Dense(random(4, 5, int(np.prod(conv.output_shape(shape)))))
    x = random(5, 2, *shape)
    np.testing.assert_allclose(compose(dense, conv, shape).apply(x), dense.apply(conv.apply(x)), atol=1e-10)


def test_dense_by_hand() -> None:
    dense = Dense(np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.0]]))
    np.testing.assert_array_equal(dense.apply(np.array([[1.0, 10.0]])), [[21, -10, 3]])
    np.testing.assert_array_equal(dense.adjoint(np.array([[1.0, 1.0, 1.0]]), (2,)), [[4, 1]])


def test_pooling_then_convolution_by_hand() -> None:
    pool = Conv(np.full((1, 1, 1, 2), 0.5), stride=(1, 2))
    product = compose(Conv(np.array([[[[2.0, 4.0]]]])), pool, (1, 1, 4))
    np.testing.assert_array_equal(product.weight, [[[[1, 1, 2, 2]]]])


@pytest.mark.parametrize(
    ("second", "first", "shape"),
    [
        (Conv(np.ones((1, 1, 1, 1))), Dense(np.ones((4, 4))), (4,)),
        (Conv(np.ones((1, 1, 3, 3)), padding=(1, 1, 1, 1)), Conv(np.ones((1, 1, 3, 3)), padding=(1, 1, 1, 1)), (1, 6, 6)),
        (Conv(np.ones((1, 1, 3, 3)), padding=(0, 1, 0, 1)), Conv(np.ones((1, 1, 2, 2)), stride=(2, 2)), (1, 5, 5)),
    ],
)
def test_what_has_no_product_is_refused(second: Conv, first: Conv | Dense, shape: Shape) -> None:
    with pytest.raises(CannotCompose):
        compose(second, first, shape)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="3 inputs expected"):
        Dense(np.ones((2, 3))).output_shape((4,))
    with pytest.raises(ValueError, match="2 channels"):
        Conv(np.ones((1, 2, 1, 1))).output_shape((3, 5, 5))
    with pytest.raises(ValueError, match="more than the padded input"):
        Conv(np.ones((1, 1, 3, 3))).output_shape((1, 2, 5))
