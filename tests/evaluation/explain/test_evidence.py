"""Channels of test data in another order than those of calibration data."""

from __future__ import annotations

import numpy as np

from loihiconv.core.linear import Array
from loihiconv.evaluation.explain.evidence import other_order


def coloured(seed: int) -> Array:
    """Images whose first channel is brighter than their grey and whose last varies most."""
    rng = np.random.default_rng(seed)
    grey = rng.random((200, 1, 4, 4))
    return grey + np.array([0.3, 0.0, -0.2])[:, None, None] + rng.normal(0, 1, (200, 3, 4, 4)) * np.array([0.05, 0.1, 0.3])[:, None, None]


def test_the_order_that_fits_is_found() -> None:
    x, calibration = coloured(0), coloured(1)
    assert other_order(x, calibration) is None
    for order in ((2, 1, 0), (1, 2, 0)):
        assert other_order(x[:, list(order)], calibration) == order


def test_only_images_of_a_few_channels_are_asked() -> None:
    x = coloured(0)
    assert other_order(x[:, :1], x[:, :1]) is None
    assert other_order(x.reshape(200, -1), x.reshape(200, -1)) is None
    many = np.repeat(x, 2, axis=1)
    assert other_order(many[:, ::-1], many) is None
