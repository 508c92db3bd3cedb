"""Batch normalization, and what else scales and shifts, goes into the layer before or after."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.ann.evaluator import Evaluator, forward
from loihiconv.ann.graph import Affine, Ann, BatchNorm, Input, Linear, MaxPool, Node, Relu
from loihiconv.ann.passes import lower
from loihiconv.ann.passes.fold_affine import scale_and_shift
from loihiconv.core.linear import Conv, Dense, Sparse, from_matrix


def test_batch_norm_by_hand() -> None:
    norm = BatchNorm("bn", ("x",), *(np.array([v]) for v in (3.0, 1.0, 2.0, 3.75)), eps=0.25)
    scale, shift = scale_and_shift(norm)  # 3 / sqrt(4) = 1.5, 1 - 1.5 * 2 = -2
    assert (scale[0], shift[0]) == (1.5, -2)
    folded = lower(
        Ann(
            (
                Input("x", shape=(1,)),
                Linear("fc", ("x",), Dense(np.array([[4.0]])), np.array([1.0])),
                BatchNorm("bn", ("fc",), norm.gamma, norm.beta, norm.mean, norm.var, norm.eps),
            )
        )
    ).ann["fc"]
    assert isinstance(folded, Linear)
    assert folded.map.weight[0, 0] == 6  # 1.5 * 4
    assert folded.bias is not None
    assert folded.bias[0] == -0.5


def lowered_affine(*before: Node, scale: object, shift: object, after: tuple[Node, ...] = ()) -> Ann:
    affine = Affine("affine", (before[-1].name,), np.asarray(scale, float), np.asarray(shift, float))
    return lower(Ann((*before, affine, *after))).ann


def test_what_scales_the_input_goes_into_the_first_weights_and_per_pixel_biases() -> None:
    """Of a row 1 2 3 that a kernel of three ones sums, padded: 2 x + 1 is 3 5 7, and sums are 8 15 12."""
    conv = Linear("conv", ("affine",), Conv(np.ones((1, 1, 1, 3)), padding=(0, 0, 1, 1)))
    ann = lowered_affine(Input("x", shape=(1, 1, 3)), scale=2, shift=1, after=(conv,))
    (linear,) = ann.nodes[1:]
    assert isinstance(linear, Linear)
    assert linear.map.weight.ravel().tolist() == [2, 2, 2]
    assert linear.bias is not None
    assert linear.bias.ravel().tolist() == [2, 3, 2]
    assert Evaluator(ann)(np.array([[[[1.0, 2.0, 3.0]]]]))[0].ravel().tolist() == [8, 15, 12]


def test_factors_per_value_are_no_factors_of_a_convolution() -> None:
    conv = Linear("conv", ("x",), Conv(np.ones((2, 1, 1, 1))))
    ann = lowered_affine(Input("x", shape=(1, 1, 2)), conv, scale=[[[1, 2]], [[3, 4]]], shift=0)
    (linear,) = ann.nodes[1:]
    assert isinstance(linear, Linear)
    assert isinstance(linear.map, Sparse)
    assert linear.map.apply(np.array([[[[1.0, 10.0]]]])).ravel().tolist() == [1, 20, 3, 40]


def test_max_pooling_compares_spikes_where_factors_are_not_negative() -> None:
    pool = MaxPool("pool", ("affine",), (1, 2), (1, 2))
    spiking = (Input("x", shape=(1, 1, 4)), Linear("a", ("x",), Conv(np.ones((1, 1, 1, 1)))), Relu("relu", ("a",)))
    after = (pool, Linear("b", ("pool",), Conv(np.ones((1, 1, 1, 1)))))
    assert [node.name for node in lowered_affine(*spiking, scale=2, shift=-1, after=after).nodes[1:]] == ["a", "relu", "pool", "b"]
    assert not any(isinstance(node, MaxPool) for node in lowered_affine(*spiking, scale=-2, shift=-1, after=after))


NORM = tuple(np.array(values) for values in ((3.0, 1.0), (1.0, 2.0), (2.0, -1.0), (3.75, 0.75)))


@pytest.mark.parametrize("behind", [True, False])
def test_batch_norm_goes_into_sparse_maps(behind: bool) -> None:
    """Behind one it scales rows per channel, before one columns."""
    rng = np.random.default_rng(0)
    shape, outputs = ((3, 2, 2), (2, 2, 2)) if behind else ((2,), (5,))
    count = int(np.prod(outputs)), int(np.prod(shape))
    linear = Linear("sparse", ("x" if behind else "bn",), from_matrix(rng.normal(size=count) * (rng.random(count) < 0.6), outputs, shape))
    norm = BatchNorm("bn", ("sparse" if behind else "x",), *NORM, eps=0.25)
    ann = Ann((Input("x", shape=shape), linear, norm) if behind else (Input("x", shape=shape), norm, linear))
    folded = lower(ann).ann
    assert [type(node) for node in folded.nodes] == [Input, Linear]
    assert isinstance(folded["sparse"].map, Sparse)  # type: ignore[attr-defined]
    x = rng.normal(size=(4, *shape))
    np.testing.assert_allclose(forward(folded, x)[0], forward(ann, x)[0], rtol=1e-4, atol=1e-5)
