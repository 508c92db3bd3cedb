"""What a search is after: values that are refused, and what bounds mean for settings."""

from __future__ import annotations

from typing import Any

import pytest

from loihiconv.conversion.aim import Aim, aimed, period, with_period
from loihiconv.conversion.settings import Settings
from loihiconv.core.errors import InvalidSetting


@pytest.mark.parametrize("loss", ["a", -0.1, 100.1, float("nan"), True])
def test_targets_that_are_none(loss: Any) -> None:
    with pytest.raises(InvalidSetting, match=r"target_loss: .*0 to 100 points"):
        aimed(Settings(8), "latency", loss, None, programs=False)


@pytest.mark.parametrize("most", ["a", 0, -1, 4.0, True])
def test_bounds_that_are_none(most: Any) -> None:
    with pytest.raises(InvalidSetting, match=r"max_latency: .*whole number"):
        aimed(Settings(8), "latency", None, most, programs=False)


def test_a_target_needs_a_search_and_makes_one_of_the_default() -> None:
    assert aimed(Settings(8), "default", 0.2, 64, programs=True) == ("latency", Aim(0.002, 64, True, True))
    assert aimed(Settings(8), "accuracy", 0.2, None, programs=False) == ("accuracy", Aim(0.002))
    assert aimed(Settings(8), "none", None, 8, programs=False) == ("none", Aim(None, 8))
    with pytest.raises(InvalidSetting, match="without a search"):
        aimed(Settings(8), "none", 1, None, programs=False)


def test_a_bound_is_on_all_steps_from_one_sample_to_the_next() -> None:
    silent = Settings(8, silent_steps=3)
    assert (period(silent), with_period(silent, 9)) == (11, Settings(6, silent_steps=3))
    assert period(Settings(8, silent_steps=3, buffered=True)) == 8
    with pytest.raises(InvalidSetting, match=r"T = 8 \+ 3 silent.*10 steps.*timesteps=7"):
        aimed(silent, "default", None, 10, programs=False)
    with pytest.raises(InvalidSetting, match="fewer silent_steps"):
        aimed(silent, "default", None, 3, programs=False)
    assert aimed(silent, "latency", None, 10, programs=False)[1].most == 10
    with pytest.raises(InvalidSetting, match="fewer silent steps, or less of a delay"):
        aimed(silent, "latency", None, 4, programs=False)


def test_buffered_steps_are_no_part_of_a_period_and_no_more_than_it() -> None:
    buffered = Settings(16, silent_steps=16, buffered=True)
    assert with_period(buffered, 8) == Settings(8, silent_steps=8, buffered=True)
    assert with_period(Settings(16, silent_steps=5, buffered=True), 8) == Settings(8, silent_steps=5, buffered=True)
    assert aimed(buffered, "latency", None, 8, programs=False)[1].most == 8
    with pytest.raises(InvalidSetting, match="use timesteps=8 and silent_steps=8, or optimize"):
        aimed(buffered, "default", None, 8, programs=False)
