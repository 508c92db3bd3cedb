"""A judge compares networks with their ANN; gains count where their interval lies above zero."""

from __future__ import annotations

from typing import Any

import numpy as np

import loihiconv as lc
from loihiconv.conversion.judge import Attempt, Judge
from loihiconv.conversion.measuring import read
from tests.conversion.small import data, small_cnn


def test_a_judge_finds_the_network_itself_in_agreement() -> None:
    model, x = small_cnn(), data(40)
    net = lc.convert(model, x, board=None, timesteps=512)
    agreement, diverged = Judge(read(model, x[:4]).ann, x)(net)
    assert agreement.shape == diverged.shape == (40,)
    assert agreement.mean() > 0.95
    assert 0 <= diverged.mean() < 0.01


def test_a_gain_beats_if_its_interval_does_not_reach_zero() -> None:
    """Standard error of 0 and 2, half of each of 100: 1.005 / 10; 1.96 of them are 0.197."""
    anything: Any = None
    spread = np.arange(100) % 2 * 2.0
    worse = Attempt(anything, anything, np.ones(100), spread)
    assert Attempt(anything, anything, np.ones(100), np.full(100, 1 - 0.198)).beats(worse)
    assert not Attempt(anything, anything, np.ones(100), np.full(100, 1 - 0.196)).beats(worse)
    assert not worse.beats(worse)
    assert Attempt(anything, anything, np.ones(100), spread - 0.01).beats(worse)  # the same gain on every sample


def test_a_loss_is_kept_to_up_to_the_sample() -> None:
    anything: Any = None
    three = Attempt(anything, anything, (np.arange(1000) >= 3).astype(float), np.zeros(1000))
    assert three.keeps(0.003)
    assert not three.keeps(0.0029)
