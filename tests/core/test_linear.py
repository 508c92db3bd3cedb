"""The linear maps against PyTorch, and their products against one after the other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from loihiconv.core.linear import Conv, Dense, LinearMap, Shape, Sparse, from_matrix, sparse

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


@given(convs_and_shapes())
@settings(max_examples=60, deadline=None)
def test_every_synapse_written_out_is_the_same_map(case: tuple[Conv, Shape]) -> None:
    conv, shape = case
    assume(output := shape_or_none(conv, shape))
    written, x, y = sparse(conv, shape), random(1, 2, *shape), random(2, 2, *output)
    assert written.output_shape(shape) == output
    np.testing.assert_allclose(written.apply(x), conv.apply(x), atol=1e-12)
    np.testing.assert_allclose(written.adjoint(y, shape), conv.adjoint(y, shape), atol=1e-12)
    order = written.rows.astype(np.int64) * int(np.prod(shape)) + written.columns
    assert np.all(np.diff(order) > 0)


def test_integers_stay_integers() -> None:
    map = from_matrix(np.array([[0, 3], [2, 0], [0, 0]], np.int32), (3,), (2,))
    assert (map.weight.tolist(), map.rows.tolist(), map.columns.tolist()) == ([3, 2], [0, 1], [1, 0])
    result = map.apply(np.array([[1, 10]], np.int32))
    np.testing.assert_array_equal(result, [[30, 2, 0]])
    assert result.dtype == np.int32
    np.testing.assert_array_equal(map.with_weight(-map.weight).apply(np.array([[1, 10]])), [[-30, -2, 0]])


def test_dense_by_hand() -> None:
    dense = Dense(np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.0]]))
    np.testing.assert_array_equal(dense.apply(np.array([[1.0, 10.0]])), [[21, -10, 3]])
    np.testing.assert_array_equal(dense.adjoint(np.array([[1.0, 1.0, 1.0]]), (2,)), [[4, 1]])


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="3 inputs expected"):
        Dense(np.ones((2, 3))).output_shape((4,))
    with pytest.raises(ValueError, match="2 channels"):
        Conv(np.ones((1, 2, 1, 1))).output_shape((3, 5, 5))
    with pytest.raises(ValueError, match="more than the padded input"):
        Conv(np.ones((1, 1, 3, 3))).output_shape((1, 2, 5))
    with pytest.raises(ValueError, match="2 inputs expected"):
        from_matrix(np.ones((1, 2)), (1,), (2,)).output_shape((3, 1))


SPARSE = from_matrix(np.array([[0, 3, 0, 5], [2, 0, 0, 0]]), (2, 1, 1), (1, 2, 2))
SCALED: tuple[tuple[LinearMap, Shape], ...] = (
    (Dense(random(0, 3, 8)), (2, 2, 2)),
    (Conv(random(1, 4, 1, 2, 2), padding=(1, 0, 1, 0), groups=2), (2, 3, 3)),
    (sparse(Conv(random(2, 3, 2, 2, 2)), (2, 3, 3)), (2, 3, 3)),
)


@pytest.mark.parametrize(("linear", "shape"), SCALED)
def test_scaled_maps_scale_what_goes_in_and_comes_out(linear: LinearMap, shape: Shape) -> None:
    output = linear.output_shape(shape)
    columns = np.broadcast_to(random(3, shape[0], 1, 1), shape)
    rows = np.broadcast_to(random(4, output[0], *(1,) * (len(output) - 1)), output)
    x = random(5, 2, *shape)
    np.testing.assert_allclose(linear.scaled(rows, columns).apply(x), rows * linear.apply(columns * x), atol=1e-12)
    np.testing.assert_array_equal(linear.scaled(np.ones(output), np.ones(shape)).weight, linear.weight)


@pytest.mark.parametrize(("linear", "shape"), [SCALED[0], SCALED[2]])
def test_maps_without_shared_weights_are_scaled_neuron_by_neuron(linear: LinearMap, shape: Shape) -> None:
    columns, rows, x = random(3, *shape), random(4, *linear.output_shape(shape)), random(5, 2, *shape)
    np.testing.assert_allclose(linear.scaled(rows, columns).apply(x), rows * linear.apply(columns * x), atol=1e-12)


def test_sums_over_the_synapses_of_each_output() -> None:
    dense, conv = Dense(np.array([[1, 2], [3, 4]])), Conv(np.array([[[[1, 2]], [[3, 4]]]]))
    assert dense.row_sums(dense.weight).tolist() == [3, 7]
    assert conv.row_sums(conv.weight).tolist() == [[[10]]]
    assert SPARSE.row_sums(SPARSE.weight**2).tolist() == [[[34]], [[4]]]
    assert from_matrix(np.zeros((2, 3)), (2,), (3,)).row_sums(np.zeros(0)).tolist() == [0, 0]


def test_synapses_find_other_places() -> None:
    moved = SPARSE.at(1 - SPARSE.rows, 3 - SPARSE.columns, (2,), (4,))
    np.testing.assert_array_equal(moved.matrix.toarray(), SPARSE.matrix.toarray()[::-1, ::-1])
    assert moved.output_shape((4,)) == (2,)
    assert moved.same_places(moved.with_weight(-moved.weight))
    assert not moved.same_places(SPARSE)


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([0, 2], [0, 1], r"rows lie outside of shape \(2,\)"),
        ([0, 1], [-1, 1], r"columns lie outside of shape \(3,\)"),
        ([1, 0], [0, 0], "not sorted"),
        ([1, 1], [2, 1], "not sorted"),
        ([1, 1], [2, 2], "is there twice"),
        ([0], [0], "have shapes"),
        ([0.0, 1.0], [0, 1], "no integers"),
    ],
)
def test_places_that_are_no_maps_are_refused(rows: list[float], columns: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sparse(np.ones(2), np.array(rows), np.array(columns), (2,), (3,)).output_shape((3,))
