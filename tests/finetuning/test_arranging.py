"""Sums of shifted images against the convolutions that they stand for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loihiconv.ann.graph import Linear
from loihiconv.core.linear import Conv
from loihiconv.finetuning.arranging import arranging


@pytest.mark.parametrize("options", [{}, {"stride": (2, 2)}, {"padding": (1, 0, 2, 1), "stride": (2, 1)}, {"dilation": (2, 1)}])
def test_they_are_the_convolution(options: dict[str, tuple[int, ...]]) -> None:
    kernel = np.array([[0, 1.0], [-1, 0], [0.5, 0]])
    linear = Conv(np.broadcast_to(kernel, (3, 1, 3, 2)).copy(), groups=3, **options)
    x = np.random.default_rng(0).random((2, 3, 7, 6)).astype(np.float32)
    step = arranging(Linear("pool", ("x",), linear))
    assert step is not None
    np.testing.assert_allclose(step(torch.from_numpy(x)).numpy(), linear.apply(x), atol=1e-6)


def test_other_layers_are_left() -> None:
    kernel = np.ones((3, 1, 2, 2))
    kernel[0] = 2
    assert arranging(Linear("layer", ("x",), Conv(kernel, groups=3))) is None
    assert arranging(Linear("layer", ("x",), Conv(np.ones((3, 3, 1, 1))))) is None
    assert arranging(Linear("layer", ("x",), Conv(np.ones((3, 1, 4, 4)), groups=3))) is None
