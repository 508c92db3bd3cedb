"""What a search is after beside its goal: a loss that may be, steps that there are, and what the neurons of a board can do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Any

from loihiconv.conversion.settings import SEARCHES, Optimize, Settings
from loihiconv.core import numbers as n
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import shown

if TYPE_CHECKING:  # the command line loads no numpy for its help
    from loihiconv.core.network import Network


@dataclass(frozen=True)
class Aim:
    """What a search is after, beside its goal.

    Parameters
    ----------
    loss : float, optional
        Share of samples whose answer may be another than the ANN's: the fewest steps that keep to it are looked for.
    most : int, optional
        Most steps from one sample to the next, silent ones included; by default those of where the search starts.
    silent, signed : bool
        Whether neurons may get silent steps, or signed spikes: never for a board that has no neuron program for them.
    copies : tuple of int
        Numbers of neurons for each activation that are tried, beside the one of where the search starts: such as a board has room for.
    """

    loss: float | None = None
    most: int | None = None
    silent: bool = False
    signed: bool = False
    copies: tuple[int, ...] = ()


NO_MORE = Aim()
"""Of a search that is after its goal alone."""


def aimed(
    settings: Settings, optimize: Optimize, target_loss: float | None, max_latency: int | None, *, programs: bool
) -> tuple[Optimize, Aim]:
    """What stands for settings that are not given, and what a search is after.

    Parameters
    ----------
    settings : Settings
    optimize : "none", "default", "accuracy" or "latency"
        As it was given; a target makes a search of the default.
    target_loss : float, optional
        In points.
    max_latency : int, optional
    programs : bool
        Whether neurons may do what takes a neuron program of its own.

    Raises
    ------
    InvalidSetting
        If either is out of its range, or there is no search that could keep to it.
    """
    number = isinstance(target_loss, int | float) and not isinstance(target_loss, bool)
    if target_loss is not None and not (number and isfinite(target_loss) and 0 <= target_loss <= 100):
        raise InvalidSetting(f"target_loss {shown(target_loss)}", where="target_loss", limit="0 to 100 points expected")
    if max_latency is not None and not (type(max_latency) is int and max_latency >= 1):
        raise InvalidSetting(f"max_latency {shown(max_latency)}", where="max_latency", limit="a whole number of at least 1 expected")
    if target_loss is not None and optimize == "none":
        remedy = 'use optimize="latency" or "accuracy"'
        raise InvalidSetting("a target without a search", where="target_loss", limit='optimize="none" tries nothing', remedy=remedy)
    if target_loss is not None and optimize == "default":
        optimize = "latency"
    if max_latency is not None and period(settings) > max_latency:
        _check_fits(settings, max_latency, searching=optimize in SEARCHES)
    return optimize, Aim(None if target_loss is None else target_loss / 100, max_latency, programs, programs)


def _check_fits(settings: Settings, most: int, *, searching: bool) -> None:
    """Raise `InvalidSetting` where settings take more steps than there are, and no search can take fewer."""
    added = period(settings) - settings.timesteps
    what, limit = f"T = {settings.timesteps}{f' + {added} silent' * bool(added)}", f"a sample may take {most} steps"
    if not searching:
        fewer = "fewer silent_steps" if added >= most else f"timesteps={most - added}"
        if settings.buffered and settings.silent_steps > most:
            fewer += f" and silent_steps={most}"
        raise InvalidSetting(what, where="max_latency", limit=limit, remedy=f'use {fewer}, or optimize="latency"')
    try:
        with_period(settings, most)
    except InvalidSetting as cause:
        raise InvalidSetting(what, where="max_latency", limit=limit, remedy="give fewer silent steps, or less of a delay") from cause


def period(settings: Settings) -> int:
    """Steps from one sample to the next: T, and silent ones unless they are buffered."""
    return settings.timesteps + (0 if settings.buffered else settings.silent_steps)


def with_period(settings: Settings, steps: int) -> Settings:
    """The same in so many steps from one sample to the next, silent ones staying as they are; buffered ones are no more than T.

    Raises
    ------
    InvalidSetting
        If they are too few for the silent ones, or for a delay of the readout.
    """
    return replace(settings, **listening(steps, settings.silent_steps, buffered=settings.buffered))


def listening(steps: int, silent: int, *, buffered: bool = False) -> dict[str, Any]:
    """Settings of samples that follow each other in so many steps, with silent ones that are part of them or, at most as many, buffered."""
    if buffered:
        return {"silent_steps": min(silent, steps), "timesteps": steps, "buffered": True}
    return {"silent_steps": silent, "timesteps": steps - silent, "buffered": False}


def outcome(network: Network, loss: float, samples: int) -> tuple[str, bool]:
    """Whether a search met its target: a sentence for the record, and yes or no."""
    found = next(trial for trial in reversed(network.record.search) if trial.kept)
    lost = 1 - found.agreement
    met = lost <= loss + 1e-9
    what = f"target loss of {n.points(loss)} points: {'met' if met else 'not met'} with {network.steps}, a period of {network.period}"
    return f"{what}; {n.points(lost)} are lost on {samples} calibration samples, by the ANN's own answers", met
