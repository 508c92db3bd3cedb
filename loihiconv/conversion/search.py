"""Try settings on calibration data, one after the other, and keep what helps: ``convert(..., optimize="accuracy" or "latency")``.

What is compared are the ANN's outputs with the network's, on calibration samples that corrections have not seen where there are
enough; see `loihiconv.conversion.likeness`. Of a classifier it is the mean Kullback-Leibler divergence D(softmax(ANN) || softmax(network)).
It moves with every sample, where the share of equal classes (the agreement, shown beside it) is the same for most trials. Labels and test
samples are never seen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from loihiconv.ann.evaluate import Evaluator
from loihiconv.ann.graph import Ann
from loihiconv.conversion.likeness import alike, likely_task
from loihiconv.conversion.settings import Settings
from loihiconv.core.choices import Task
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.core.record import Trial
from loihiconv.simulator import simulate

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
"""What is tried, step by step; each step starts from the best of those before it. `DELAYS` come last."""
DELAYS = (8, 4, 2)
"""Delays of the readout that are tried: T divided by these."""
SHORTEST = 4
"""Fewest time steps that are tried for latency."""
TOLERANCE = 0.005
"""Agreement that fewer time steps may cost."""

Build = Callable[[Settings], Network]
Progress = Callable[[str, int, int], None]


class Judge:
    """Compares networks with an ANN on samples.

    Parameters
    ----------
    ann : Ann
    x : array (N, \\*shape)
    task : "classification", "binary", "multilabel", "regression" or "dense", optional
        By default what the network's last functions say.
    """

    def __init__(self, ann: Ann, x: Array, task: Task | None = None) -> None:
        self.x, self.ends = x, ann.ends
        evaluator = Evaluator(ann)
        self.outputs = np.concatenate([evaluator(torch.from_numpy(x[i : i + 64]))[0].flatten(1).numpy() for i in range(0, len(x), 64)])
        self.tasks = [task or likely_task(ending, place.stop - place.start) for place, ending in ann.ends]

    def __call__(self, network: Network) -> tuple[float, float]:
        """Agreement and divergence of a network; means over several outputs."""
        recording = simulate(network, self.x, counts=False)
        each = [
            alike(task, ending, self.outputs[:, place], recording.logits[:, place])
            for task, (place, ending) in zip(self.tasks, self.ends, strict=True)
        ]
        return float(np.mean([agreement for agreement, _ in each])), float(np.mean([diverged for _, diverged in each]))


def search(
    build: Build, judge: Judge, start: Settings, fixed: Collection[str], goal: str, progress: Progress | None = None
) -> tuple[Network, tuple[Trial, ...]]:
    """Find good settings by coordinate descent; deterministic.

    "latency" first takes the fewest time steps, from `SHORTEST` on, whose agreement is within `TOLERANCE` of that at
    ``start.timesteps``. Both then go through `STEPS` and `DELAYS`.

    Parameters
    ----------
    build : callable (Settings) -> Network
    judge : Judge
    start : Settings
    fixed : collection of str
        Settings that a user gave, which stay as they are.
    goal : "accuracy" or "latency"
    progress : callable (stage, done, in all), optional

    Returns
    -------
    network : Network
    trials : tuple of Trial
        In the order in which they were made; the first is ``start``.
    """
    options = {step: [dict(o) for o in choices if not o.keys() & set(fixed)] for step, choices in STEPS.items()}
    lengths = [n for n in _lengths(start.timesteps) if n > start.readout_delay] if goal == "latency" else []
    delays = () if "readout_delay" in fixed else DELAYS
    total, trials = 1 + len(lengths) + sum(max(len(o) - 1, 0) for o in options.values()) + len(delays), []

    def attempt(step: str, settings: Settings, best: Settings | None, *, to_beat: float = np.inf) -> tuple[Network, Trial]:
        network = build(settings)
        agreement, diverged = judge(network)
        changed = {} if best is None else {k: v for k, v in settings.to_json().items() if v != best.to_json()[k]}
        trial = Trial(step, changed, settings.timesteps, agreement, diverged, diverged < to_beat)
        trials.append(trial)
        if progress is not None:
            progress("search", min(len(trials), total), total)
        return network, trial

    network, best = attempt("start", start, None)
    settings = start
    for timesteps in lengths:
        shorter = replace(start, timesteps=timesteps)
        candidate, trial = attempt("time steps", shorter, start)
        enough = trial.agreement >= best.agreement - TOLERANCE
        trials[-1] = replace(trial, kept=enough)
        if enough:
            network, settings, best = candidate, shorter, trial
            break
    options["readout delay"] = [{"readout_delay": delay} for delay in sorted({settings.timesteps // share for share in delays})]
    for step, choices in options.items():
        for choice in choices:
            tried = replace(settings, **choice)
            if tried == settings:
                continue
            candidate, trial = attempt(step, tried, settings, to_beat=best.divergence)
            if trial.kept:
                network, settings, best = candidate, tried, trial
    if progress is not None:
        progress("search", total, total)
    return network, tuple(trials)


def _lengths(timesteps: int) -> list[int]:
    """Time steps to try, fewest first: 4, 6, 8, 12, 16, 24, ... below ``timesteps``."""
    lengths = {base * 2**k for base in (SHORTEST, SHORTEST * 3 // 2) for k in range(24)}
    return sorted(n for n in lengths if n < timesteps)
