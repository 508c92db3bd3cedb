"""What a record keeps of the calibration."""

from __future__ import annotations

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.conversion.summary import payload_errors
from tests.conversion.small import data, small_cnn


def test_payload_errors_are_those_of_rounding() -> None:
    x = np.linspace(-1, 1, 2001)
    errors = payload_errors(x)
    assert list(errors) == sorted(errors)
    assert errors[255] == pytest.approx(1 / 12, rel=0.02)  # uniform within a unit
    assert payload_errors(np.array([0.0, 1.0, -1.0])) == dict.fromkeys(errors, 0.0)
    assert payload_errors(np.array([0.5]))[255] == pytest.approx(0.25)


def test_each_layer_has_its_scale_or_one_for_each_channel() -> None:
    x = data(50)
    for per_channel in (True, False):
        found = lc.convert(small_cnn(), x, board=None, timesteps=4, per_channel=per_channel).record.calibration
        assert found.samples == 50
        assert {name: len(scale) > 1 for name, scale in found.scales.items()} == {
            "input": False,
            "0": per_channel,
            "4": per_channel,
            "7": per_channel,
            "9": False,
        }
