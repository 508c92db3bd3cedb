"""Where samples bring more than a register holds, so that it stays at its end: counted, since nothing proves that it cannot happen.

All back ends saturate alike; what they compute then is right for the chip and wrong for the network. Watched are

- *host currents*: sums beyond +-`BIAS_MAX`, which the host cuts to it before it loads them (`loihiconv.core.input_coding.as_biases`);
- *potentials* of the readout at +-`V_MAX`, after any step.

Potentials of hidden populations are not: they saturate at the same ends, uncounted. At the lower one they commonly do, where a
payload drives a neuron far below zero at every step; that costs nothing as long as potentials stay there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from loihiconv.core.errors import LimitExceeded
from loihiconv.core.fixed_point import BIAS_MAX, V_MAX
from loihiconv.core.linear import Array

Register: TypeAlias = Literal["host currents", "potentials"]
LIMITS: Mapping[Register, str] = {
    "host currents": f"the chip's largest bias is {BIAS_MAX:,}",
    "potentials": f"24 bits hold +-{V_MAX:,}",
}
REMEDIES: Mapping[Register, str] = {
    "host currents": 'calibrate on samples like these, or use input_coding="rate"',
    "potentials": "use fewer time steps, or calibrate on samples like these",
}


@dataclass(frozen=True, eq=False)
class Saturation:
    """A population's registers of one kind, and the samples that brought some of them to their ends.

    Parameters
    ----------
    population : str
    register : "host currents" or "potentials"
    above, below : bool arrays (N,)
        Samples in which at least one neuron's reached the upper end, and the lower.
    """

    population: str
    register: Register
    above: Array
    below: Array

    @property
    def samples(self) -> int:
        """Samples in which any end was reached."""
        return int(np.count_nonzero(self.above | self.below))

    @property
    def what(self) -> str:
        """What happened, to how many samples."""
        ends = f"{np.count_nonzero(self.above):,} at the upper end, {np.count_nonzero(self.below):,} at the lower"
        return f"{self.register} of {self.samples:,} of {len(self.above):,} samples saturate ({ends})"

    def error(self) -> LimitExceeded:
        """The same as an error, with the limit and a remedy."""
        return LimitExceeded(self.what, where=self.population, limit=LIMITS[self.register], remedy=REMEDIES[self.register])

    def to_json(self) -> dict[str, Any]:
        """Counts, as JSON values."""
        counts = {"above": int(np.count_nonzero(self.above)), "below": int(np.count_nonzero(self.below))}
        return {"population": self.population, "register": self.register, "samples": self.samples, **counts}


def currents_saturate(sums: Array) -> Array:
    """Which samples' sums (N, \\*shape) on the host lie beyond `BIAS_MAX`: bool (2, N), above and below."""
    rows = sums.reshape(len(sums), -1)
    return np.stack([rows.max(axis=1) > BIAS_MAX, rows.min(axis=1) < -BIAS_MAX])


def potentials_saturate(course: Array) -> Array:
    """Which samples' potentials (N, ...) reach +-`V_MAX`: bool (2, N), above and below."""
    rows = course.reshape(len(course), -1)
    return np.stack([rows.max(axis=1) >= V_MAX, rows.min(axis=1) <= -V_MAX])


def found(watched: Mapping[tuple[str, Register], Array]) -> tuple[Saturation, ...]:
    """What was watched and did saturate; arrays are bool (2, N)."""
    return tuple(Saturation(name, register, *ends) for (name, register), ends in watched.items() if ends.any())
