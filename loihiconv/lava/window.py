"""When a population works on which sample."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """Time steps of a population: sample k comes in during steps k P + depth + 1 to k P + depth + T, from 1, with the period P = T + gap.

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
    silent : int, 0 to P
        Steps at the start of each window in which the population sends nothing; it sends in the T after them. With more than ``gap`` of
        them, a sample is still being sent while the next one comes in.
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
        """Sample that comes in and step of those T, both from 0; None before the first window, after the last, and between them."""
        return self._locate(time_step - self.depth)

    def sends(self, time_step: int) -> tuple[int, int] | None:
        """Sample that is sent and step of those T, alike."""
        return self._locate(time_step - self.depth - self.silent)

    def is_last(self, step: int) -> bool:
        """Whether a step is the last one of its T."""
        return step == self.timesteps - 1

    def _locate(self, time_step: int) -> tuple[int, int] | None:
        sample, step = divmod(time_step - 1, self.timesteps + self.gap)
        return (sample, step) if 0 <= sample < self.samples and step < self.timesteps else None


@dataclass(frozen=True)
class Reading:
    """When an adapter on the chip reads a variable: after every step t with (t - 1) mod interval = offset.

    Parameters
    ----------
    interval, offset : int
    """

    interval: int = 1
    offset: int = 0

    @property
    def later(self) -> int:
        """Steps after its own in which the host takes a reading: the next one, but the same where every step has one."""
        return int(self.interval > 1)

    def arrives(self, time_step: int) -> bool:
        """Whether the host takes a reading in a step of the run; there is none before the first step."""
        return time_step > self.later and (time_step - 1 - self.later) % self.interval == self.offset


def once_a_sample(timesteps: int, depth: int, every_step: bool) -> Reading:
    """The reading of a readout after the last step of each window, or after every step."""
    return Reading() if every_step or timesteps == 1 else Reading(timesteps, (depth - 1) % timesteps)
