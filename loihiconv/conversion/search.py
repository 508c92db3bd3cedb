"""Try settings on calibration data, one after the other, and keep what helps: ``convert(..., optimize="accuracy" or "latency")``.

What is compared are the ANN's outputs with the network's, on calibration samples that corrections have not seen where there are
enough; see `loihiconv.conversion.likeness`. Of a classifier it is the mean Kullback-Leibler divergence D(softmax(ANN) || softmax(network)).
It moves with every sample, where the share of equal classes (the agreement, shown beside it) is the same for most trials. A trial is kept
where the 95 % interval of its gain lies above zero, and the search stops when all of a round's span it. Labels and test samples are never
seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from loihiconv.conversion.aim import NO_MORE, Aim, listening, period, with_period
from loihiconv.conversion.attempts import Attempts
from loihiconv.conversion.judge import Attempt
from loihiconv.conversion.settings import Settings
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.network import Network
from loihiconv.core.record import Trial

STEPS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "scales": (
        {"scale": "mse", "percentile": 99.9, "per_channel": True},
        {"scale": "balanced", "percentile": 99.9, "per_channel": True},
        {"scale": "percentile", "percentile": 99.0, "per_channel": True},
        {"scale": "percentile", "percentile": 99.9, "per_channel": True},
        {"scale": "mse", "percentile": 99.9, "per_channel": False},
    ),
    "hold back": ({"hold_back": 0.5}, {"hold_back": 0.25}, {"hold_back": 0.75}, {"hold_back": 0.0}),
    "bias correction": ({"bias_correction": True}, {"bias_correction": False}),
    "rounding": ({"rounding": "auto"}, {"rounding": "nearest"}, {"rounding": "adaptive"}),
}
"""What is tried, step by step; each step starts from the best of those before it. Copies, `DELAYS`, `SILENT` and signs come last."""
DELAYS = (8, 4, 2)
"""Delays of the readout that are tried: T divided by these."""
SILENT = (2, 3)
"""Silent steps that are tried, beside buffered ones: the steps of a sample divided by these, as many as time steps and half as many."""
ROUNDS = 3
"""Most times that all steps are gone through; what was tried once is not tried again."""
SHORTEST = 4
"""Fewest steps of a sample that are tried for latency."""
TOLERANCE = 0.005
"""Agreement that fewer time steps may cost."""

Progress = Callable[[str, int, int], None]


def search(
    attempts: Attempts,
    start: Settings,
    fixed: Collection[str],
    goal: str,
    progress: Progress | None = None,
    aim: Aim = NO_MORE,
) -> tuple[Network, tuple[Trial, ...]]:
    """Find good settings by coordinate descent; deterministic.

    "latency" first takes the fewest steps, from `SHORTEST` on, whose agreement is within `TOLERANCE` of that at ``start.timesteps``; with a
    loss to keep to, the fewest that do. Both goals then go through `STEPS`, `DELAYS` and, where they may, copies, `SILENT` and signed
    spikes, for the same steps of a sample, over and over until a round has no gain whose interval lies above 0. With a loss to keep to,
    what was found is then tried with fewer steps still.

    Parameters
    ----------
    attempts : callable (Settings, those that are likely to follow) -> Attempt
        See `loihiconv.conversion.attempts`.
    start : Settings
    fixed : collection of str
        Settings that a user gave, which stay as they are.
    goal : "accuracy" or "latency"
    progress : callable (stage, done, in all), optional
    aim : Aim

    Returns
    -------
    network : Network
    trials : tuple of Trial
        In the order in which they were made; the first is ``start``, the last that was kept is what was found.
    """
    descent = Descent(attempts, fixed, progress, aim)
    begin = start if aim.most is None or period(start) <= aim.most else with_period(start, aim.most)
    best = descent.attempt("start", begin, None)
    if goal == "latency" or aim.loss is not None:
        best = descent.shortest(best)
    best = descent.improved(best)
    if aim.loss is not None:
        best = descent.shorter(best, aim.loss)
    descent.finish()
    return best.network, tuple(descent.trials)


class Descent:
    """Attempts, one after the other, from the best so far.

    Attributes
    ----------
    trials : list of Trial
    """

    def __init__(self, attempts: Attempts, fixed: Collection[str], progress: Progress | None, aim: Aim) -> None:
        self.attempts, self.progress, self.aim = attempts, progress, aim
        self.options = {step: [dict(o) for o in choices if not o.keys() & set(fixed)] for step, choices in STEPS.items()}
        self.delays = () if "readout_delay" in fixed else DELAYS
        self.silent = SILENT if aim.silent and not set(fixed) & {"silent_steps", "buffered", "reset"} else ()
        self.signed = aim.signed and "signed_spikes" not in fixed
        self.copies = () if "copies" in fixed else aim.copies
        self.tried: set[str] = set()
        self.trials: list[Trial] = []
        last = len(self.copies) + len(self.delays) + len(self.silent) + bool(self.silent) + self.signed
        self.total = 1 + sum(max(len(o) - 1, 0) for o in self.options.values()) + last

    def attempt(self, step: str, settings: Settings, best: Attempt | None, following: Iterable[Settings] = ()) -> Attempt:
        """Build and judge a network; it is kept if it beats the best. What follows if it does not is made meanwhile on a cluster."""
        made = self.attempts(settings, following)
        changed = {} if best is None else {k: v for k, v in settings.to_json().items() if v != best.settings.to_json()[k]}
        kept = best is None or (made.beats(best) and not self._gives_up(made, best))
        agreement, diverged = float(np.mean(made.agreement)), float(np.mean(made.divergence))
        self.trials.append(Trial(step, changed, settings.timesteps, agreement, diverged, kept))
        self.tried.add(json.dumps(settings.to_json()))
        if self.progress is not None:
            self.progress("search", len(self.trials), max(len(self.trials), self.total))
        return made

    def _gives_up(self, made: Attempt, best: Attempt) -> bool:
        """Whether an attempt loses more than it may where the best so far does not."""
        return self.aim.loss is not None and best.keeps(self.aim.loss) and not made.keeps(self.aim.loss)

    def shortest(self, best: Attempt) -> Attempt:
        """The first attempt with few steps that is good enough; the best so far where none is."""
        start, longest = best, period(best.settings)
        most = longest if self.aim.most is None or self.aim.loss is None else self.aim.most
        loss = float(1 - np.mean(best.agreement)) + TOLERANCE if self.aim.loss is None else self.aim.loss
        lengths = list(self._lengths(best.settings, most))
        for number, settings in enumerate(lengths, 1):
            if settings == start.settings:
                made = start
            else:
                self.total += 1
                made = self.attempt("time steps", settings, start, lengths[number:])
                self._kept(made.keeps(loss))
            if made.keeps(loss):
                return made
            if self.aim.loss is not None and made.agreement.mean() > best.agreement.mean():
                best = made
                self._kept(True)
        return best

    def shorter(self, best: Attempt, loss: float) -> Attempt:
        """What was found, with fewer and fewer steps until it loses too much."""
        if not best.keeps(loss):
            return best
        lengths = list(self._lengths(best.settings, period(best.settings) - 1, alone=True))[::-1]
        for number, settings in enumerate(lengths, 1):
            self.total += 1
            made = self.attempt("fewer steps", settings, best, lengths[number:])
            self._kept(made.keeps(loss))
            if not made.keeps(loss):
                break
            best = made
        return best

    def improved(self, best: Attempt) -> Attempt:
        """Go through all steps, until a round of them gains nothing that is more than chance."""
        for _ in range(ROUNDS):
            before = best
            tried = [(step, choice) for step, choices in self._steps(best.settings) for choice in choices]
            for number, (step, choice) in enumerate(tried, 1):
                best = self._better(step, choice, best, [later for _, later in tried[number:]])
            if best is before:
                break
        return best

    def finish(self) -> None:
        """Say that all is done."""
        if self.progress is not None:
            self.progress("search", len(self.trials), len(self.trials))

    def _steps(self, settings: Settings) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """What is tried, step by step, in as many steps of a sample as ``settings`` take."""
        yield from self.options.items()
        yield "copies", [{"copies": copies} for copies in self.copies]
        yield "readout delay", [{"readout_delay": delay} for delay in sorted({settings.timesteps // share for share in self.delays})]
        steps = period(settings)
        yield "silent steps", [listening(steps, 0), *self._separated(steps)] if self.silent else []
        yield "signed spikes", self._signed(settings, steps)

    def _better(self, step: str, choice: Mapping[str, Any], best: Attempt, later: Iterable[Mapping[str, Any]]) -> Attempt:
        """The attempt with a choice, or the best so far if that is not better or was tried before."""
        settings = self._untried(choice, best)
        if settings is None:
            return best
        made = self.attempt(step, settings, best, filter(None, (self._untried(each, best) for each in later)))
        return made if self.trials[-1].kept else best

    def _untried(self, choice: Mapping[str, Any], best: Attempt) -> Settings | None:
        """The best settings with a choice, unless they cannot be or were tried."""
        settings = next(_possible(best.settings, [choice]), None)
        return None if settings is None or json.dumps(settings.to_json()) in self.tried else settings

    def _lengths(self, settings: Settings, most: int, *, alone: bool = False) -> Iterator[Settings]:
        """Settings of 4, 6, 8, 12, 16, 24, ... steps of a sample, with and without silent ones unless ``alone``; fewest steps first.

        Silent steps that a search chose keep their share, those that a user gave their number.
        """
        lengths = {base * 2**k for base in (SHORTEST, SHORTEST * 3 // 2) for k in range(24)} | (set() if alone else {most})
        for steps in sorted(n for n in lengths if n <= most):
            share = settings.silent_steps / period(settings)
            choices = [listening(steps, round(steps * share) if self.silent else settings.silent_steps, buffered=settings.buffered)]
            if self.silent and not alone and self.aim.loss is not None:
                choices += self._separated(steps)
            if not alone and self.aim.loss is not None:
                choices += self._signed(settings, steps)
            yield from dict.fromkeys(_possible(settings, choices))

    def _separated(self, steps: int) -> list[dict[str, Any]]:
        """Silent steps that are tried, in so many steps of a sample: a part of them, or as many, buffered."""
        plain = {"signed_spikes": False} if self.signed else {}
        parts = (listening(steps, steps // share) for share in sorted(self.silent, reverse=True))
        return [{**choice, **plain} for choice in (*parts, listening(steps, steps, buffered=True))]

    def _signed(self, settings: Settings, steps: int) -> list[dict[str, Any]]:
        """Signed spikes in so many steps of a sample, in the place of silent steps; gates that there are none of are none."""
        if not self.signed:
            return []
        pooled = {"maxpool": "relu-tree"} if settings.maxpool == "gate" else {}
        return [{**(listening(steps, 0) if self.silent else {"timesteps": steps}), "signed_spikes": True, **pooled}]

    def _kept(self, kept: bool) -> None:
        """Say of the last attempt whether it was kept."""
        self.trials[-1] = replace(self.trials[-1], kept=kept)


def _possible(settings: Settings, choices: Iterable[Mapping[str, Any]]) -> Iterator[Settings]:
    """Settings with each choice that can be: not with fewer steps than a delay, say, or than silent steps that were given."""
    for choice in choices:
        try:
            yield replace(settings, **choice)
        except InvalidSetting:
            continue
