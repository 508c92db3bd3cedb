"""One comparison that all tests of reports look at."""

from __future__ import annotations

import pytest

import loihiconv as lc
from loihiconv.demo import digits, digits_cnn
from loihiconv.evaluation.compare import Comparison


def _compared(percentile: float, board: str) -> Comparison:
    x_train, _, x, y = digits()
    net = lc.convert(digits_cnn(), x_train, board=board, timesteps=16, percentile=percentile)
    return lc.compare(digits_cnn(), net, (x[:60], y[:60]), explain=True, calibration=x_train)


@pytest.fixture(scope="package")
def good() -> Comparison:
    """The demo's network on Loihi 2, in order."""
    return _compared(99.9, "kapoho_point")


@pytest.fixture(scope="package")
def faulty() -> Comparison:
    """The same on Loihi 1 with half of its activations cut off."""
    return _compared(50, "nahuku32")
