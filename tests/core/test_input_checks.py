"""Samples that are not like calibration's are noticed, with how many they are; good ones are not."""

from __future__ import annotations

import re

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.input_checks import input_doubts
from loihiconv.core.network import Input
from loihiconv.demo import digits, digits_cnn

INPUT = Input("input", (1, 4, 4), scale=1.0, payload_max=255)
SIGNED = Input("input", (1, 4, 4), scale=2.0, payload_max=127, signed=True)
GOOD = np.random.default_rng(0).random((40, 1, 4, 4), np.float32)


def test_good_samples() -> None:
    assert input_doubts(INPUT, GOOD) == ()
    assert input_doubts(INPUT, 1.2 * GOOD) == ()
    assert input_doubts(SIGNED, 4 * GOOD - 2) == ()
    assert input_doubts(INPUT, GOOD[:1] / 255) == ()  # one dark image


@pytest.mark.parametrize(
    ("population", "x", "said"),
    [
        (INPUT, 255 * GOOD, r"40 of 40 samples have values far outside of the calibrated range of 1, up to 25\d"),
        (INPUT, GOOD / 255, r"all 40 samples stay below 0.0039\d*, where calibration reached 1"),
        (INPUT, (GOOD - 0.5) / 0.5, r"40 of 40 samples have negative values"),
        (SIGNED, GOOD - 6, r"40 of 40 samples have values far outside"),
    ],
)
def test_others_are_said(population: Input, x: np.ndarray, said: str) -> None:
    (text,) = input_doubts(population, x)
    assert re.match(said, text), text


def test_run_says_it() -> None:
    x, _, test, _ = digits()
    net = lc.convert(digits_cnn(), x[:100], board=None, timesteps=2)
    with pytest.warns(UserWarning, match="far outside of the calibrated range"):
        lc.run(net, 16 * test[:3], "float")
