"""How a network that was converted with some settings compares with its ANN, and with another, on samples without labels."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch

from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.graph import Ann
from loihiconv.conversion.likeness import alike, likely_task
from loihiconv.conversion.settings import Settings
from loihiconv.core.choices import Task
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.simulator import simulate

DEVIATIONS = 1.96
"""Standard errors on either side of a gain that make its interval one of 95 %."""


@dataclass(frozen=True, eq=False)
class Attempt:
    """A network that was built and judged.

    Attributes
    ----------
    network : Network
    settings : Settings
    agreement, divergence : array (N,)
    fits : bool
        Whether the board holds it, where that was asked.
    """

    network: Network
    settings: Settings
    agreement: Array
    divergence: Array
    fits: bool = True

    def beats(self, other: Attempt) -> bool:
        """Whether it fits and diverges less, by a gain whose 95 % interval, of paired samples, does not reach 0."""
        if not self.fits:
            return False
        gain = other.divergence - self.divergence
        error = float(np.std(gain, ddof=1)) / sqrt(len(gain)) if len(gain) > 1 else 0.0
        return float(np.mean(gain)) > DEVIATIONS * error

    def keeps(self, loss: float) -> bool:
        """Whether no more than a share of samples gets another answer than from the ANN."""
        return float(1 - np.mean(self.agreement)) <= loss + 1e-9


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

    def __call__(self, network: Network) -> tuple[Array, Array]:
        """Agreement and divergence of a network, (N,) each; means over several outputs."""
        recording = simulate(network, self.x, counts=False)
        each = [
            alike(task, ending, self.outputs[:, place], recording.logits[:, place])
            for task, (place, ending) in zip(self.tasks, self.ends, strict=True)
        ]
        return np.mean([agreement for agreement, _ in each], axis=0), np.mean([diverged for _, diverged in each], axis=0)
