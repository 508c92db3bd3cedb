"""Batch normalization goes into the layer before."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.ann.evaluate import forward
from loihiconv.ann.graph import Ann, BatchNorm, Input, Linear
from loihiconv.ann.passes import lower
from loihiconv.ann.passes.fold_batchnorm import scale_and_shift
from loihiconv.core.linear import Dense, Sparse, from_matrix


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
