"""Settings are checked where they are made, and a conversion records all of them."""

from __future__ import annotations

import pytest

import loihiconv as lc
from loihiconv.errors import InvalidSetting
from loihiconv.settings import PAPER, Settings, choose
from tests.test_conversion import data, small_cnn


def test_none_is_the_paper_and_what_is_given_wins() -> None:
    assert choose(8) == Settings(8)
    plain = choose(8, "none")
    assert all(getattr(plain, name) == value for name, value in PAPER.items())
    assert choose(8, "none", percentile=99, hold_back=0.25) == Settings(8, **{**PAPER, "percentile": 99, "hold_back": 0.25})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimize": "best"}, 'optimize: optimize \'best\'; "none" or "default" or "accuracy" or "latency" expected'),
        ({"precentile": 99}, "no such setting: precentile; known are bias_correction, hold_back, .*per_channel"),
        ({"hold_back": 5}, "hold_back 5; 0 to 4 thresholds expected"),
        ({"hold_back": "much"}, "hold_back much"),
        ({"scale": "max"}, 'scale: scale \'max\'; "percentile" or "mse" or "balanced" expected'),
        ({"readout_delay": 8}, "readout_delay 8; 0 to 7, fewer than the time steps, expected"),
        ({"rounding": "up"}, 'rounding: rounding \'up\'; "nearest" or "first" or "adaptive" expected'),
        ({"per_channel": 1}, "per_channel: per_channel 1; True or False expected"),
        ({"percentile": "high"}, "percentile high"),
    ],
)
def test_refusals(options: dict, message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        choose(8, **options)


def test_networks_remember_their_settings() -> None:
    net = lc.convert(small_cnn(), data(20), hardware=None, timesteps=4, seed=3, bias_correction=False)
    assert net.metadata["settings"] == Settings(4, seed=3, bias_correction=False).to_json()
