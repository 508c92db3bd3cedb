"""What a realization costs in accuracy, measured by the emulator on the user's samples."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.simulator import simulate

SAMPLES = 500
"""Samples that it is measured on, at most."""


@dataclass(frozen=True)
class Cost:
    """A network and what a realization made of it, on the same samples.

    Attributes
    ----------
    samples : int
    agreement : float
        Share of samples that get the same class.
    before, after : float or None
        Accuracy; None without labels.
    ratio : float or None
        Threshold to largest input per step, where neurons reset to zero.
    corrected : bool
        Whether biases were corrected for that on calibration data.
    """

    samples: int
    agreement: float
    before: float | None
    after: float | None
    ratio: float | None
    corrected: bool

    def to_json(self) -> dict[str, Any]:
        """The cost as JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        what = "as it was converted" if self.ratio is None else f"reset to zero, at a ratio of {self.ratio:g} of threshold to input"
        if self.ratio is not None:
            what += ", with biases corrected for it" if self.corrected else ", with biases that are not corrected for it"
        found = f"{self.agreement:.2%} of {self.samples:,} samples get the class that they had"
        if self.before is not None and self.after is not None:
            found = f"{self.after:.2%} of {self.samples:,} samples are right, {self.before:.2%} were before (emulator)"
        return f"{what}: {found}"


def measure_cost(network: Network, realized: Network, x: Array, y: Array | None) -> Cost:
    """Emulate both networks.

    Parameters
    ----------
    network, realized : Network
        Fixed point.
    x : array (N, \\*input shape)
        The first `SAMPLES` of them are taken.
    y : int array (N,), optional
        Labels.
    """
    x = np.asarray(x)[:SAMPLES]
    old, new = (simulate(net, x, counts=False).predictions for net in (network, realized))
    right = (
        [None, None]
        if y is None or network.readout.size == 1 or network.readout.parts
        else [float((p == np.asarray(y)[: len(x)]).mean()) for p in (old, new)]
    )
    record = realized.record.realization
    ratio, corrected = (None, False) if record is None else (record.ratio, record.corrected)
    return Cost(len(x), float((old == new).mean()), right[0], right[1], ratio, corrected)
