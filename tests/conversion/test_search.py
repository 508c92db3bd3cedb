"""The search is deterministic, keeps what was given, never gets worse, and sees no test sample."""

from __future__ import annotations

import numpy as np

import loihiconv as lc
from loihiconv.conversion.convert import read
from loihiconv.conversion.search import DELAYS, SHORTEST, STEPS, Judge
from tests.conversion.small import data, small_cnn


def test_accuracy_search_never_gets_worse_and_is_deterministic() -> None:
    model, x = small_cnn(), data(300)
    seen: list[tuple[int, int]] = []
    net = lc.convert(
        model,
        x,
        board="kapoho_point",
        timesteps=6,
        optimize="accuracy",
        hold_back=0.25,
        progress=lambda stage, done, total: seen.append((done, total)) if stage == "search" else None,
    )
    trials = net.record.search
    assert net.record.settings["hold_back"] == 0.25
    assert not any("hold_back" in trial.changed for trial in trials)
    kept = [trial.divergence for trial in trials if trial.kept]
    assert kept == sorted(kept, reverse=True)
    assert seen[-1][0] == seen[-1][1]
    again = lc.convert(model, x, board="kapoho_point", timesteps=6, optimize="accuracy", hold_back=0.25)
    assert again.record.search == trials
    np.testing.assert_array_equal(lc.run(net, x[:9]).potentials, lc.run(again, x[:9]).potentials)


def test_latency_search_takes_fewer_steps() -> None:
    model, x = small_cnn(), data(300)
    everything = {name: value for choices in STEPS.values() for name, value in choices[0].items()}
    net = lc.convert(model, x, board="kapoho_point", timesteps=256, optimize="latency", **everything)
    trials = net.record.search
    assert [t.timesteps for t in trials[:2]] == [256, SHORTEST]
    delays = [t.changed["readout_delay"] for t in trials if t.step == "readout delay"]
    assert delays == sorted({net.timesteps // share for share in DELAYS} - {0})
    assert SHORTEST <= net.timesteps < 256
    assert trials[-1].agreement >= trials[0].agreement - 0.005


def test_a_judge_finds_the_network_itself_in_agreement() -> None:
    model, x = small_cnn(), data(40)
    net = lc.convert(model, x, board=None, timesteps=512)
    agreement, diverged = Judge(read(model, x[:4]).ann, x)(net)
    assert agreement > 0.95
    assert 0 <= diverged < 0.01


def test_a_delay_that_helps_is_found_and_one_that_was_given_stays() -> None:
    """With the paper's settings fixed, early spikes mislead the readout."""
    model, x = small_cnn(), data(300)
    plain = {
        "scale": "percentile",
        "percentile": 99.9,
        "per_channel": False,
        "hold_back": 0.0,
        "bias_correction": False,
        "rounding": "nearest",
    }
    net = lc.convert(model, x, board=None, timesteps=8, optimize="accuracy", **plain)
    best = min(net.record.search, key=lambda t: t.divergence)
    assert net.readout.delay == best.changed.get("readout_delay", 0)
    given = lc.convert(model, x, board=None, timesteps=32, optimize="latency", readout_delay=5, **plain)
    assert given.readout.delay == 5 < min(t.timesteps for t in given.record.search)
