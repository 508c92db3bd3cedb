"""Batch normalization goes into the layer before."""

from __future__ import annotations

import numpy as np

from loihiconv.ann.graph import Ann, BatchNorm, Input, Linear
from loihiconv.ann.passes import lower
from loihiconv.ann.passes.fold_batchnorm import scale_and_shift
from loihiconv.core.linear import Dense


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
