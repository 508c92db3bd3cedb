"""When a population works on which sample."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """Time steps of a population: sample k has the steps k T + depth + 1 to (k + 1) T + depth, counted from 1.

    Every connection takes one step, so a population of depth d sees a sample d steps after it entered; with its state
    set anew at the first step of each window, samples follow each other without a gap and do not mix.
    """

    timesteps: int
    depth: int
    samples: int
    gap: int = 0

    def locate(self, time_step: int) -> tuple[int, int] | None:
        """Sample and step within its window, both from 0; None before the first window and after the last."""
        sample, step = divmod(time_step - 1 - self.depth, self.timesteps + self.gap)
        return (sample, step) if 0 <= sample < self.samples and step < self.timesteps else None

    def is_last(self, step: int) -> bool:
        """Whether a step is the last one of its window."""
        return step == self.timesteps - 1
