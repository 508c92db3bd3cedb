"""Settings are checked where they are made, and a conversion records all of them."""

from __future__ import annotations

import pytest

import loihiconv as lc
from loihiconv.conversion.settings import PAPER, Settings, choose
from loihiconv.core.errors import InvalidSetting
from tests.conversion.test_convert import data, small_cnn


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
        ({"rounding": "up"}, 'rounding: rounding \'up\'; "auto" or "nearest" or "first" or "adaptive" expected'),
        ({"per_channel": 1}, "per_channel: per_channel 1; True or False expected"),
        ({"percentile": "high"}, "percentile high"),
        ({"spike_bits": 0}, "spike_bits: spike_bits 0; a whole number from 1 to 8 expected"),
        ({"spike_bits": 9}, "spike_bits: spike_bits 9; a whole number from 1 to 8 expected"),
        ({"spike_bits": True}, "spike_bits: spike_bits True; a whole number from 1 to 8 expected"),
        ({"spike_bits": 4.0}, "spike_bits: spike_bits 4.0; a whole number from 1 to 8 expected"),
        ({"spike_bits": 4, "reset": "zero"}, 'spike_bits: reset "zero" with graded spikes; 1 expected; use the default of the other'),
        ({"spike_bits": 2, "maxpool_estimate": "average"}, 'spike_bits: maxpool_estimate "average" with graded spikes; 1 expected; use'),
    ],
)
def test_refusals(options: dict, message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        choose(8, **options)


def test_bits_of_spikes_are_payloads() -> None:
    assert [Settings(8, spike_bits=bits).payload_max for bits in (1, 2, 4, 8)] == [1, 3, 15, 255]
    assert choose(8).spike_bits == 1
    Settings(8, spike_bits=4, maxpool="relu-tree", maxpool_estimate="average")  # no gates, no estimates


def test_networks_remember_their_settings() -> None:
    net = lc.convert(small_cnn(), data(20), board=None, timesteps=4, seed=3, bias_correction=False)
    assert net.record.settings == Settings(4, seed=3, bias_correction=False).to_json()
