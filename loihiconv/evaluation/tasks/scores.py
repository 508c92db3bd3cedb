"""How one back end did at a task, and what another one loses against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from loihiconv.core.errors import InvalidData
from loihiconv.core.linear import Array
from loihiconv.core.metric import Metric
from loihiconv.evaluation.metrics import wilson
from loihiconv.evaluation.pairing import PairedLoss, paired_loss
from loihiconv.evaluation.tasks.bootstrap import interval, replicates
from loihiconv.evaluation.tasks.metric import Figure


@dataclass(frozen=True, eq=False)
class Scores:
    """A task's own metric on N samples, and other figures beside it.

    Attributes
    ----------
    metric : Metric
    rows : array (N, k)
        What each sample adds; of a metric that counts samples, whether it is right.
    of : callable ((B, k)) -> (B,)
        The metric from means of rows.
    parts : callable ((k,)) -> tuple of float
        The same for every class or label, where there are such.
    figures : callable () -> tuple of Figure
        Others, which take a while.
    """

    metric: Metric
    rows: Array
    of: Callable[[Array], Array]
    parts_of: Callable[[Array], tuple[float, ...]] = field(default=lambda means: ())
    figures_of: Callable[[], tuple[Figure, ...]] = field(default=lambda: ())

    @property
    def n(self) -> int:
        """Samples."""
        return len(self.rows)

    @cached_property
    def value(self) -> float:
        """The metric."""
        return float(self.of(self._means[None])[0])

    @cached_property
    def interval95(self) -> tuple[float, float]:
        """Wilson's where samples are counted, else by drawing samples again."""
        if self.metric.counted:
            return wilson(int(self.rows.sum()), self.n)
        return interval(replicates(self.rows, self.of))

    @cached_property
    def parts(self) -> tuple[float, ...]:
        """The metric of every label or class; empty where it has none."""
        return self.parts_of(self._means)

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """Figures beside the metric."""
        return self.figures_of()

    @cached_property
    def _means(self) -> Array:
        return np.asarray(self.rows.astype(np.float64).mean(axis=0))


def loss_between(before: Scores, after: Scores, *, same: bool = False) -> PairedLoss:
    """What is lost from one to the other on the same samples; positive where the one after is worse.

    Parameters
    ----------
    same : bool
        That both are one and the same network, so that no sample of any size could tell them apart.

    Raises
    ------
    InvalidData
        If they are of different samples, or judged differently.
    """
    if before.rows.shape != after.rows.shape or before.metric != after.metric or not before.n:
        raise InvalidData(f"{before.n} and {after.n} samples", where="paired comparison", limit="the same ones, at least 1, expected")
    if before.metric.counted:
        return paired_loss(before.rows[:, 0], after.rows[:, 0], same=same)
    loss = before.metric.loss(before.value, after.value)
    changed = bool((before.rows != after.rows).any())
    if same or not changed:
        return PairedLoss(before.n, loss, (0.0, 0.0), changed=changed)
    drawn = [replicates(scores.rows, scores.of) for scores in (before, after)]
    return PairedLoss(before.n, loss, interval(drawn[0] - drawn[1] if before.metric.rises else drawn[1] - drawn[0]), changed=changed)
