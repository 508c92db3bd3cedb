"""Where samples bring more than a register holds, so that it stays at its end: counted, since nothing proves that it cannot happen.

All back ends saturate alike; what they compute then is right for the chip and wrong for the network. Watched are

- *host currents*: sums beyond +-`BIAS_MAX`, which the host cuts to it before it loads them (`loihiconv.core.input_coding.as_biases`);
- *potentials* of the readout at +-`V_MAX`, after any step;
- *hidden potentials*, those of the populations that spike, at the same ends, after what any step adds and before it is reset.

A hidden potential that stays at the lower end costs nothing, and a neuron that payloads inhibit at every step commonly does, in long
windows. Whether it stays there is for the chip's neurons to say: public microcode was reported to leave that out for speed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, TypeAlias

import numpy as np

from loihiconv.core.errors import LimitExceeded
from loihiconv.core.fixed_point import BIAS_MAX, V_MAX
from loihiconv.core.linear import Array

Register: TypeAlias = Literal["host currents", "potentials", "hidden potentials"]
LIMITS: Mapping[Register, str] = {
    "host currents": f"the chip's largest bias is {BIAS_MAX:,}",
    "potentials": f"24 bits hold +-{V_MAX:,}",
    "hidden potentials": f"24 bits hold +-{V_MAX:,}",
}
REMEDIES: Mapping[Register, str] = {
    "host currents": 'calibrate on samples like these, or use input_coding="rate"',
    "potentials": "use fewer time steps, or calibrate on samples like these",
    "hidden potentials": 'use fewer time steps, or input_coding="rate" where payloads drive it; Lava\'s neurons stay at that end, '
    "those of a chip may not",
}
LEAST_SHOWN = 5e-5
"""Share of neurons that two digits show."""
MOST_NAMED = 3
"""Populations that one line names."""


@dataclass(frozen=True, eq=False)
class Saturation:
    """A population's registers of one kind, and how many of them each sample brought to their ends.

    Parameters
    ----------
    population : str
    register : "host currents", "potentials" or "hidden potentials"
    above, below : int arrays (N,)
        Neurons that reached the upper end, and the lower, by sample.
    neurons : int
        Of the population.
    """

    population: str
    register: Register
    above: Array
    below: Array
    neurons: int

    @property
    def samples(self) -> int:
        """Samples in which any end was reached."""
        return int(np.count_nonzero(self.above + self.below))

    @property
    def harmless(self) -> bool:
        """Whether it costs nothing where registers stay at their end, as in Lava: hidden potentials that come to the lower one alone."""
        return self.register == "hidden potentials" and not np.any(self.above)

    @property
    def share(self) -> float:
        """Mean share of the population's neurons that reached an end; one that reached both counts twice."""
        return float(np.mean(self.above + self.below) / self.neurons)

    @property
    def what(self) -> str:
        """What happened, to how many samples and neurons."""
        ends = f"{np.count_nonzero(self.above):,} at the upper end, {np.count_nonzero(self.below):,} at the lower"
        return f"{self.register} of {self._extent} saturate ({ends})"

    @property
    def _extent(self) -> str:
        share = "under 0.01%" if self.share < LEAST_SHOWN else f"{self.share:.2%}"
        return f"{self.samples:,} of {len(self.above):,} samples and {share} of neurons"

    @property
    def named(self) -> str:
        """The population, with how many samples and neurons."""
        return f"{self.population} in {self._extent}"

    def error(self) -> LimitExceeded:
        """The same as an error, with the limit and a remedy."""
        return LimitExceeded(self.what, where=self.population, limit=LIMITS[self.register], remedy=REMEDIES[self.register])

    def to_json(self) -> dict[str, Any]:
        """Counts, as JSON values."""
        counts = {"above": int(np.count_nonzero(self.above)), "below": int(np.count_nonzero(self.below))}
        return {"population": self.population, "register": self.register, "samples": self.samples, **counts, "share": self.share}


def lines(saturated: Sequence[Saturation]) -> list[str]:
    """One line for each population whose host currents or outputs saturate, and one for all hidden ones: those that saturate most first."""
    said = [str(s.error()) for s in saturated if s.register != "hidden potentials"]
    hidden = sorted((s for s in saturated if s.register == "hidden potentials"), key=lambda s: -s.share)
    if hidden:
        error, others = hidden[0].error(), [s.named for s in hidden[1:MOST_NAMED]]
        more = [f"{len(hidden) - MOST_NAMED} more populations"] if len(hidden) > MOST_NAMED else []
        said.append(f"{error}" + (f"; so do those of {', '.join([*others, *more])}" if others else ""))
    return said


def currents_saturate(sums: Array) -> Array:
    """How many of each sample's sums (N, \\*shape) on the host lie beyond `BIAS_MAX`: int32 (2, N), above and below."""
    return _counted(sums > BIAS_MAX, sums < -BIAS_MAX)


def potentials_saturate(course: Array) -> Array:
    """How many neurons of each sample reach +-`V_MAX`, of potentials over time (N, steps, \\*shape): int32 (2, N), above and below."""
    return _counted((course >= V_MAX).any(axis=1), (course <= -V_MAX).any(axis=1))


def _counted(above: Array, below: Array) -> Array:
    """From which neurons (N, \\*shape) to how many."""
    return np.stack([np.count_nonzero(ends.reshape(len(ends), -1), axis=1).astype(np.int32) for ends in (above, below)])


def found(watched: Mapping[tuple[str, Register], Array], shapes: Mapping[str, tuple[int, ...]]) -> tuple[Saturation, ...]:
    """What was watched and did saturate; arrays are int (2, N), shapes those of populations."""
    return tuple(
        Saturation(name, register, ends[0], ends[1], prod(shapes[name])) for (name, register), ends in watched.items() if ends.any()
    )


def joined(parts: Sequence[tuple[int, Sequence[Saturation]]]) -> tuple[Saturation, ...]:
    """What saturated in consecutive parts of a run, given as (samples, what saturated), as of the whole run."""
    total, first = sum(samples for samples, _ in parts), 0
    watched: dict[tuple[str, Register], Array] = {}
    neurons: dict[str, int] = {}
    for samples, saturated in parts:
        for s in saturated:
            ends = watched.setdefault((s.population, s.register), np.zeros((2, total), np.int32))
            ends[:, first : first + samples] = s.above, s.below
            neurons[s.population] = s.neurons
        first += samples
    return tuple(Saturation(name, register, ends[0], ends[1], neurons[name]) for (name, register), ends in watched.items())
