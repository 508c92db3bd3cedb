"""When a population works on which sample."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """Time steps of a population: sample k has the steps k P + depth + 1 to k P + depth + T, counted from 1, with the period P = T + gap.

    Every connection takes one step, so a population sees a sample so many steps after it entered as there are connections and silent
    steps before it; with its state set anew at the first step of each window, samples follow each other and do not mix.

    Parameters
    ----------
    timesteps : int
        T.
    depth : int
        Steps from where a sample enters to the population's window.
    samples : int
    gap : int
        Steps from the end of those T to where the next sample's begin.
    silent : int, 0 to gap
        Steps at the start of each window in which the population sends nothing; it sends in the T after them.
    first : int
        Index of the first sample in the run that these are part of.
    """

    timesteps: int
    depth: int
    samples: int
    gap: int = 0
    silent: int = 0
    first: int = 0

    def locate(self, time_step: int) -> tuple[int, int] | None:
        """Sample and step within its window, both from 0; None before the first window, after the last, and where none is at work."""
        sample, step = divmod(time_step - 1 - self.depth, self.timesteps + self.gap)
        return (sample, step) if 0 <= sample < self.samples and step < self.timesteps + self.silent else None

    def is_last(self, step: int) -> bool:
        """Whether a step is the last one of its window."""
        return step == self.timesteps + self.silent - 1
