"""Settings are checked where they are made, and a conversion records all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

import loihiconv as lc
from loihiconv.conversion.settings import DECLARED, NAMES, PAPER, SettingOptions, Settings, choose
from loihiconv.core.choices import PAYLOAD_LIMIT
from loihiconv.core.errors import InvalidSetting
from loihiconv.evaluation.sweep.declarations import AXES, SweepOptions
from loihiconv.hardware.board import load_board
from tests.conversion.small import data, small_cnn

SNIPPET = """
from typing import Any
import loihiconv as lc

def wrong(model: Any, x: Any) -> None:
    lc.convert(model, x, board=None, timesteps=4, percentil=99.9)
    lc.convert(model, x, board=None, timesteps=4, percentile="99.9")
    lc.convert(model, x, board=None, timesteps=4, maxpool="gates")
    lc.sweep(model, x, (x, x), board=None, axes={}, timestep=4)
    lc.sweep(model, x, (x, x), board=None, axes={}, weight_bits="4")

def right(model: Any, x: Any) -> None:
    lc.convert(model, x, board=None, timesteps=4, percentile=None, per_channel=False, maxpool="average", seed=3)
    lc.sweep(model, x, (x, x), board=None, axes={}, timesteps=4, weight_bits=4, optimize="none", start=0)
"""


def test_none_is_the_paper_and_what_is_given_wins() -> None:
    assert choose(8) == Settings(8)
    plain = choose(8, "none")
    assert all(getattr(plain, name) == value for name, value in PAPER.items())
    assert choose(8, "none", percentile=99, hold_back=0.25) == Settings(8, **{**PAPER, "percentile": 99, "hold_back": 0.25})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimize": "best"}, 'optimize: optimize \'best\'; "none" or "default" or "accuracy" or "latency" expected'),
        (
            {"precentile": 99},
            r"no such setting: precentile, did you mean 'percentile'\?; known are approximate, bias_correction, .*per_channel",
        ),
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
        (
            {"spike_bits": 2, "maxpool": "gate", "maxpool_estimate": "average"},
            'spike_bits: maxpool_estimate "average" with graded spikes; 1 expected; use',
        ),
    ],
)
def test_refusals(options: dict, message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        choose(8, **options)


def test_levels_count_copies_where_all_spikes_come_in_time() -> None:
    assert Settings(8, spike_bits=2, copies=4).levels == 24
    assert Settings(8, copies=4, silent_steps=8).levels == Settings(8, copies=4, signed_spikes=True).levels == 32


def test_bits_of_spikes_are_payloads() -> None:
    assert [Settings(8, spike_bits=bits).payload_max for bits in (1, 2, 4, 8)] == [1, 3, 15, 255]
    assert choose(8).spike_bits == 1
    Settings(8, spike_bits=4, maxpool="relu-tree", maxpool_estimate="average")  # no gates, no estimates


def test_networks_remember_their_settings() -> None:
    net = lc.convert(small_cnn(), data(20), board=None, timesteps=4, seed=3, bias_correction=False)
    assert net.record.settings == {**Settings(4, seed=3, bias_correction=False).to_json(), "maxpool": "gate"}


def test_auto_is_what_the_board_can_run_and_gates_without_one() -> None:
    board = load_board("nahuku32")
    assert choose(8).maxpool == "auto"
    assert (choose(8).for_board(board).pooling, choose(8).for_board(None).pooling) == ("relu-tree", "gate")
    for way in ("gate", "relu-tree", "average"):
        chosen = choose(8, maxpool=way)  # type: ignore[arg-type]  # a loop over a Literal
        assert chosen.for_board(board) == chosen.for_board(None) == chosen
    with pytest.raises(InvalidSetting, match='maxpool_estimate "average" with graded spikes'):
        choose(8, spike_bits=2, maxpool_estimate="average").for_board(None)


def test_options_for_type_checkers_are_the_settings() -> None:
    settings = get_type_hints(Settings)
    assert get_type_hints(SettingOptions) == {name: hint for name, hint in settings.items() if name != "timesteps"}
    assert list(settings) == list(DECLARED)
    sweeps = get_type_hints(SweepOptions)
    assert sweeps.keys() == AXES.keys()
    assert {name: hint for name, hint in sweeps.items() if name in settings} == settings


def test_help_at_run_time_describes_every_setting() -> None:
    assert all(f"\n{name} : {declared.values}" in (Settings.__doc__ or "") for name, declared in DECLARED.items())


def test_what_the_paper_does_are_settings() -> None:
    assert PAPER.keys() <= NAMES


def test_most_bits_of_a_spike_are_those_of_the_largest_payload() -> None:
    assert Settings(8, spike_bits=DECLARED["spike_bits"].setting.high).payload_max == PAYLOAD_LIMIT  # type: ignore[arg-type]


@pytest.mark.slow
def test_type_checkers_refuse_what_is_no_setting(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="needs mypy")
    (tmp_path / "snippet.py").write_text(SNIPPET)
    (tmp_path / "mypy.ini").write_text("[mypy]\nfollow_imports = silent\nignore_missing_imports = True\n")
    root = Path(lc.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--cache-dir", "cache", "snippet.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"MYPYPATH": str(root)},
    )
    lines = [line.split(":", 2) for line in done.stdout.splitlines() if ": error:" in line]
    assert [int(number) for _, number, _ in lines] == [6, 7, 8, 9, 10], done.stdout + done.stderr
    for (*_, text), words in zip(lines, ['"percentil"', '"percentile"', '"maxpool"', '"timestep"', '"weight_bits"'], strict=True):
        assert words in text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"reset": "zero"}, 'reset "zero" with signed spikes'),
        ({"silent_steps": 2}, "silent steps with signed spikes"),
        ({"maxpool": "gate"}, 'maxpool "gate" with signed spikes'),
        ({"spike_bits": 8}, "signed spikes of 8 bits"),
    ],
)
def test_what_does_not_go_with_signed_spikes(given: SettingOptions, message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        choose(8, signed_spikes=True, **given)
    assert choose(8, signed_spikes=True, spike_bits=7).for_board(None).maxpool == "relu-tree"
