"""Samples that are not like calibration's are noticed, with how many they are; good ones are not."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.input_checks import Seen, input_doubts
from loihiconv.core.network import Network
from loihiconv.core.preprocessing import Preprocessing
from loihiconv.core.record import CalibrationSummary, ConversionRecord, InputSummary
from loihiconv.demo import digits, digits_cnn
from tests.core.test_preprocessing import tiny

GOOD = np.random.default_rng(0).random((40, 1, 4, 4), np.float32)


def network(preprocessing: Preprocessing | None = None, summary: InputSummary | None = None, **fields: Any) -> Network:
    """A network that was calibrated on values of this range, and, with a summary, of these means."""
    plain = tiny((1, 4, 4))
    calibration = CalibrationSummary(100, inputs={} if summary is None else {"input": summary})
    source = replace(plain.input, preprocessing=preprocessing, **fields)
    return replace(plain, populations=(source, *plain.populations[1:]), record=ConversionRecord(calibration=calibration))


def known(x: np.ndarray) -> InputSummary:
    seen = Seen()
    seen.add(x)
    return seen.summary


UNSIGNED, SIGNED = network(), network(scale=2.0, signed=True)
STANDARD = (GOOD - 0.5) / 0.25
"""Of mean 0 and a deviation of about 1, as preprocessing makes them."""
MEASURED = network(summary=known(STANDARD), scale=2.0, signed=True)


def test_good_samples() -> None:
    for net, x in ((UNSIGNED, GOOD), (UNSIGNED, 1.2 * GOOD), (SIGNED, 4 * GOOD - 2), (UNSIGNED, GOOD[:1] / 255), (MEASURED, STANDARD[:6])):
        assert input_doubts(net, x) is None  # among them one dark image
    unknown = replace(UNSIGNED, record=ConversionRecord())
    assert input_doubts(unknown, 255 * GOOD) is None


def test_what_is_kept_of_samples() -> None:
    seen = Seen()
    for part in (STANDARD[:7], STANDARD[7:]):
        seen.add(part)
    own = [STANDARD.min(), STANDARD.max(), STANDARD.mean(), STANDARD.std(), STANDARD.mean(axis=(1, 2, 3)).std()]
    np.testing.assert_allclose(list(vars(seen.summary).values()), own, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("net", "x", "said"),
    [
        (UNSIGNED, 255 * GOOD, r"40 of 40 samples have values far outside of the calibrated range of 1, up to 25\d.*not divided by 255\?"),
        (UNSIGNED, GOOD / 255, r"all 40 samples stay below 0.0039\d*, where calibration reached 1"),
        (UNSIGNED, (GOOD - 0.5) / 0.5, r"40 of 40 samples have negative values"),
        (SIGNED, GOOD - 6, r"40 of 40 samples have values far outside"),
        (MEASURED, GOOD, r"the 40 samples have a mean of 0\.\d+ and a deviation of 0\.\d+, where calibration's 100 had .* \(0 to 1 or"),
        (network(Preprocessing(scale=1 / 255)), GOOD, r"all 40 .* not preprocessed already: the network itself does x / 255"),
    ],
)
def test_others_are_said(net: Network, x: np.ndarray, said: str) -> None:
    text = input_doubts(net, x)
    assert text is not None
    assert re.match(said, text), text


def test_run_says_it() -> None:
    x, _, test, _ = digits()
    net = lc.convert(digits_cnn(), x[:100], board=None, timesteps=2)
    with pytest.warns(UserWarning, match="far outside of the calibrated range"):
        lc.run(net, 16 * test[:3], "float")
