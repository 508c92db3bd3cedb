"""Products of linear maps against one map after the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from loihiconv.core.composition import CannotCompose, compose, synapses
from loihiconv.core.linear import Conv, Dense, LinearMap, Shape, Sparse, from_matrix, sparse
from tests.core.test_linear import convs, convs_and_shapes, random, shape_or_none


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_product_of_convolutions_is_one_after_the_other(data: st.DataObject) -> None:
    first, shape = data.draw(convs_and_shapes())
    middle = shape_or_none(first, shape)
    assume(middle)
    second = data.draw(convs(middle[0]))
    assume(shape_or_none(second, middle))
    product = compose(second, first, shape)
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


@st.composite
def maps(draw: st.DrawFn, shape: Shape) -> LinearMap:
    """Any kind of map that takes inputs of a shape."""
    count, seed = int(np.prod(shape)), draw(st.integers(0, 99))
    kind = draw(st.sampled_from(["dense", "sparse"] + ["conv"] * (len(shape) == 3)))
    if kind == "dense":
        return Dense(random(seed, draw(st.integers(1, 5)), count))
    if kind == "sparse":
        outputs = draw(st.sampled_from([(4,), (2, 3, 2)]))
        matrix = random(seed, int(np.prod(outputs)), count)
        return from_matrix(matrix * (np.abs(matrix) < 0.5), outputs, shape)
    conv = draw(convs(shape[0]))
    assume(shape_or_none(conv, shape))
    return conv


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_product_of_any_two_kinds_is_one_after_the_other(data: st.DataObject) -> None:
    shape = data.draw(st.sampled_from([(6,), (2, 4, 5)]))
    first = data.draw(maps(shape))
    second = data.draw(maps(first.output_shape(shape)))
    product = compose(second, first, shape)
    x = random(3, 2, *shape)
    expected = second.apply(first.apply(x))
    assert product.output_shape(shape) == expected.shape[1:]
    np.testing.assert_allclose(product.apply(x), expected, atol=1e-10)


def test_pooling_then_convolution_by_hand() -> None:
    pool = Conv(np.full((1, 1, 1, 2), 0.5), stride=(1, 2))
    product = compose(Conv(np.array([[[[2.0, 4.0]]]])), pool, (1, 1, 4))
    np.testing.assert_array_equal(product.weight, [[[[1, 1, 2, 2]]]])


@pytest.mark.parametrize(
    ("second", "first", "shape"),
    [
        (Conv(np.ones((1, 1, 3, 3)), padding=(1, 1, 1, 1)), Conv(np.ones((1, 1, 3, 3)), padding=(1, 1, 1, 1)), (1, 6, 6)),
        (Conv(np.ones((1, 1, 3, 3)), padding=(0, 1, 0, 1)), Conv(np.ones((1, 1, 2, 2)), stride=(2, 2)), (1, 5, 5)),
    ],
)
def test_what_is_no_convolution_is_written_out_where_that_is_allowed(second: Conv, first: Conv, shape: Shape) -> None:
    with pytest.raises(CannotCompose, match="padding"):
        compose(second, first, shape, synapses=0)
    product = compose(second, first, shape)
    assert isinstance(product, Sparse)
    with pytest.raises(CannotCompose, match=f"more than {product.weight.size - 1:,} synapses"):
        compose(second, first, shape, synapses=product.weight.size - 1)
    assert compose(second, first, shape, synapses=product.weight.size).weight.size == product.weight.size


@pytest.mark.parametrize(("rows", "kind"), [(range(3), Sparse), (range(8), Dense)])
def test_few_dense_outputs_among_many_are_no_matrix_of_all(rows: range, kind: type) -> None:
    dense, places = Dense(random(0, len(rows), 6)), np.array(rows, np.int32)
    product = compose(Sparse(np.ones(len(rows)), places, places, (10,), (len(rows),)), dense, (6,))
    assert isinstance(product, kind)
    np.testing.assert_array_equal(sparse(product, (6,)).matrix.toarray()[: len(rows)], dense.weight)


def test_synapses_are_counted_with_those_in_the_padding() -> None:
    conv = Conv(np.ones((2, 1, 3, 3)), padding=(1, 1, 1, 1))
    assert synapses(conv, (1, 4, 4)) == 2 * 9 * 16
    assert synapses(sparse(conv, (1, 4, 4)), (1, 4, 4)) == 2 * (4 * 9 + 8 * 6 + 4 * 4)
    assert synapses(Dense(np.ones((3, 5))), (5,)) == 15
