"""Figures beside a task's own metric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loihiconv.core import numbers as n
from loihiconv.core.linear import Array
from loihiconv.core.metric import Metric


@dataclass(frozen=True)
class Figure:
    """One more figure beside a task's own metric.

    Attributes
    ----------
    metric : Metric
    value : float
    interval95 : (low, high)
    """

    metric: Metric
    value: float
    interval95: tuple[float, float]

    def cells(self) -> list[str]:
        """A row of a table: its title, value and interval."""
        return [self.metric.title, n.figure(self.metric, self.value), n.figure_interval(self.metric, self.interval95)]


@dataclass(frozen=True, eq=False)
class Mean:
    """A figure that is a function of means over samples, so that samples can be drawn again.

    Attributes
    ----------
    metric : Metric
    rows : array (N, k)
        What each sample adds.
    of : callable ((B, k)) -> (B,)
        The figure from the means of rows.
    """

    metric: Metric
    rows: Array
    of: Callable[[Array], Array]
