"""The search is deterministic, keeps what was given, never gets worse, and sees no test sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zlib import crc32

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.conversion.aim import Aim, period
from loihiconv.conversion.judge import Attempt
from loihiconv.conversion.search import DELAYS, SHORTEST, STEPS, search
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.linear import Array
from loihiconv.demo import digits, digits_cnn
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
    kept = [trial.changed for trial in net.record.search if trial.kept]
    found = {name: value for changed in kept for name, value in changed.items()}
    assert net.record.settings == lc.Settings(8, **plain).for_board(None).to_json() | found
    given = lc.convert(model, x, board=None, timesteps=32, optimize="latency", readout_delay=5, **plain)
    assert given.readout.delay == 5 < min(t.timesteps for t in given.record.search)


def stub(loss: Callable[[lc.Settings], float], samples: int = 1000, noise: float = 0.0) -> Any:
    """Attempts whose network is their settings, of which a share of samples differs and diverges by as much."""

    def judge(settings: lc.Settings) -> tuple[Array, Array]:
        wrong = np.arange(samples) < round(loss(settings) * samples)
        rng = np.random.default_rng(crc32(str(settings.to_json()).encode()))
        return 1.0 - wrong, loss(settings) + noise * rng.normal(size=samples)

    return lambda settings, _: Attempt(settings, settings, *judge(settings))  # type: ignore[arg-type]


def by_steps(settings: lc.Settings) -> float:
    """A loss that silent steps halve: 1 / T of those that take none."""
    return 1 / settings.timesteps / (1 + 8 * settings.silent_steps / settings.timesteps)


def sought(loss: Callable[[lc.Settings], float], aim: Aim, goal: str = "accuracy", fixed: Any = frozenset(), **start: Any) -> Any:
    return search(stub(loss), lc.Settings(**{"timesteps": 16, **start}), fixed, goal, aim=aim)


def test_silent_steps_are_tried_for_the_same_steps_per_sample_and_only_where_they_may() -> None:
    found, trials = sought(by_steps, Aim(silent=True))
    assert (found.timesteps, found.silent_steps, found.buffered) == (16, 16, True)
    tried = [t for t in trials if "silent_steps" in t.changed]
    listened = [(t.timesteps, t.changed["silent_steps"], t.changed.get("buffered", False)) for t in tried]
    assert listened == [(11, 5, False), (8, 8, False), (16, 16, True)]
    for aim, fixed in ((Aim(), ()), (Aim(silent=True), ("silent_steps",)), (Aim(silent=True), ("reset",))):
        found, trials = sought(by_steps, aim, fixed=fixed)
        assert not found.silent_steps
        assert not any("silent_steps" in trial.changed for trial in trials)


def by_copies(settings: lc.Settings) -> float:
    return 1 / settings.timesteps / settings.copies**2


def test_copies_are_tried_where_there_is_room() -> None:
    found, trials = sought(by_copies, Aim(copies=(2, 4)))
    assert [trial.changed["copies"] for trial in trials if trial.step == "copies"] == [2, 4]
    assert found.copies == 4
    few, _ = sought(by_copies, Aim(0.02, copies=(2,)))
    assert (few.copies, few.timesteps) == (2, 16)  # in 12 steps 1 / 48 would be lost
    for aim, fixed in ((Aim(), ()), (Aim(copies=(2,)), ("copies",))):
        assert sought(by_copies, aim, fixed=fixed)[0].copies == 1


def test_what_a_board_does_not_hold_is_never_better() -> None:
    lossy, good = (Attempt(None, None, np.ones(9), np.full(9, d), fits) for d, fits in ((1.0, True), (0.0, False)))  # type: ignore[arg-type]
    assert not good.beats(lossy)
    assert replace(good, fits=True).beats(lossy)


def with_a_sign(settings: lc.Settings) -> float:
    """A loss that a sign takes back most of."""
    return 1 / settings.timesteps / (16 if settings.signed_spikes else 1 + 8 * settings.silent_steps / settings.timesteps)


def test_signed_spikes_are_tried_in_the_place_of_silent_steps_and_only_where_they_may() -> None:
    found, trials = sought(with_a_sign, Aim(silent=True, signed=True))
    assert (found.timesteps, found.silent_steps, found.signed_spikes) == (16, 0, True)
    assert sum(trial.changed.get("signed_spikes") is True for trial in trials) == 1
    found, _ = sought(by_steps, Aim(silent=True, signed=True))
    assert (found.silent_steps, found.buffered, found.signed_spikes) == (16, True, False)
    gated, _ = sought(with_a_sign, Aim(signed=True), maxpool="gate")
    assert (gated.signed_spikes, gated.maxpool) == (True, "relu-tree")
    few, _ = sought(with_a_sign, Aim(0.02, silent=True, signed=True), "latency")
    assert (few.timesteps, few.signed_spikes) == (4, True)
    for aim, fixed, start in (
        (Aim(silent=True), (), {}),
        (Aim(signed=True), ("signed_spikes",), {}),
        (Aim(signed=True), ("silent_steps",), {"silent_steps": 4}),
        (Aim(signed=True), ("reset",), {"reset": "zero"}),
    ):
        found, trials = sought(with_a_sign, aim, fixed=fixed, **start)
        assert not any("signed_spikes" in trial.changed for trial in trials)


def test_a_gain_whose_interval_spans_zero_is_none_and_ends_the_search() -> None:
    _, trials = search(stub(lambda settings: 0.5, noise=0.1), lc.Settings(16), (), "accuracy")
    chance = [trial for trial in trials[1:] if trial.divergence < trials[0].divergence]
    assert chance
    assert sum(trial.kept for trial in trials[1:]) <= 1  # one in forty is above zero by chance
    better, again = sought(lambda s: 0.5 - 0.1 * (s.hold_back == 0.25) - 0.1 * (s.rounding == "nearest") * (s.hold_back == 0.25), Aim())
    assert (better.hold_back, better.rounding) == (0.25, "nearest")
    assert len(again) < 3 * len(trials)


def test_the_fewest_steps_that_keep_to_a_loss_are_found() -> None:
    found, trials = sought(lambda s: 1 / s.timesteps, Aim(0.1), "latency")
    assert found.timesteps == 12
    assert trials[-1].timesteps == 8
    assert not trials[-1].kept
    found, _ = sought(lambda s: 1 / s.timesteps, Aim(0.02, most=64), "latency")
    assert found.timesteps == 64
    found, _ = sought(by_steps, Aim(0.02, most=64, silent=True), "latency")
    assert by_steps(found) <= 0.02
    assert period(found) < 64
    kept, _ = sought(lambda s: 1 / s.timesteps, Aim(0.1), "latency", ("silent_steps",), silent_steps=3, timesteps=32)
    assert (kept.timesteps, kept.silent_steps) == (13, 3)
    given = {"silent_steps": 32, "buffered": True}
    kept, _ = sought(lambda s: 1 / s.timesteps, Aim(0.1), "latency", tuple(given), timesteps=32, **given)
    assert (kept.timesteps, kept.silent_steps, kept.buffered) == (12, 12, True)


def test_what_improves_may_then_do_with_fewer_steps() -> None:
    found, trials = sought(lambda s: (0.5 if s.hold_back == 0.25 else 1) / s.timesteps, Aim(0.05), "latency", timesteps=32)
    assert (found.timesteps, found.hold_back) == (12, 0.25)
    assert [t.timesteps for t in trials if t.step == "fewer steps"] == [16, 12, 8]


def test_what_diverges_less_does_not_give_up_a_target_that_is_met() -> None:
    def judge(settings: lc.Settings) -> tuple[Array, Array]:
        better = settings.hold_back == 0.25
        return 1.0 - (np.arange(100) < (9 if better else 1)), np.full(100, 0.1 if better else 0.2)

    attempts: Any = lambda settings, _: Attempt(settings, settings, *judge(settings))  # noqa: E731
    for aim, hold_back in ((Aim(0.05), 0.5), (Aim(), 0.25)):
        found: Any = search(attempts, lc.Settings(4), (), "accuracy", aim=aim)[0]
        assert found.hold_back == hold_back


def test_a_loss_that_is_out_of_reach_takes_the_steps_that_there_are() -> None:
    found, trials = sought(lambda s: 1 / s.timesteps, Aim(0.001, most=24), "latency")
    assert found.timesteps == 24
    assert [t.timesteps for t in trials if t.kept][-1] == 24
    found, trials = sought(lambda s: 1 / s.timesteps, Aim(most=8))
    assert found.timesteps == trials[0].timesteps == 8


def test_a_target_makes_a_search_that_says_whether_it_was_met() -> None:
    model, x = digits_cnn(), digits()[0][:150]
    fixed = {name: value for choices in STEPS.values() for name, value in choices[0].items()} | {"readout_delay": 0}
    with pytest.warns(UserWarning, match=r"target loss of 0.00 points: not met with T = 1, a period of 1; \d+\.\d\d are lost on 150"):
        net = lc.convert(model, x, board="kapoho_point", timesteps=1, target_loss=0, **fixed)
    net = lc.convert(model, x, board="kapoho_point", timesteps=6, target_loss=100, **fixed)
    assert f"target loss of 100.00 points: met with {net.steps}, a period of 4; " in net.record.notes[-1]
    with pytest.raises(InvalidSetting, match=r"T = 6; .*4 steps.*timesteps=4"):
        lc.convert(model, x, board="kapoho_point", timesteps=6, max_latency=4)
