"""What a realization costs in accuracy, measured by the emulator on the user's samples."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from loihiconv.core import numbers as n
from loihiconv.core.ending import Pointwise, ending_shape
from loihiconv.core.errors import InvalidData
from loihiconv.core.labels import is_binary, is_one_hot, numbered
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.core.saturation import lines
from loihiconv.simulator import simulate

SAMPLES = 500
"""Samples that it is measured on, at most."""


@dataclass(frozen=True)
class Cost:
    """A network and what a realization made of it, on the same samples.

    Attributes
    ----------
    samples : int
    agreement : float or None
        Share of samples that get the same class; None where outputs are no classes: an image, a number or label each, or one alone, unless
        labels are yes or no.
    before, after : float or None
        Accuracy; None without labels that are classes.
    deviation : float
        Root of the mean squared change of the outputs, in standard deviations of what they were.
    ratio : float or None
        Threshold to largest input per step, where neurons reset to zero.
    corrected : bool
        Whether biases were corrected for that on calibration data.
    saturated : tuple of str
        What saturates in the network that will run, a line for each kind; see `loihiconv.core.saturation`.
    """

    samples: int
    agreement: float | None
    before: float | None
    after: float | None
    deviation: float
    ratio: float | None
    corrected: bool
    saturated: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The cost as JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        what = "as it was converted" if self.ratio is None else f"reset to zero, at a ratio of {self.ratio:g} of threshold to input"
        if self.ratio is not None:
            what += ", with biases " + ("corrected for it" if self.corrected else "not corrected for it, as calibration data would do")
        if self.before is not None and self.after is not None:
            found = f"{n.percent(self.after)} of {self.samples:,} samples are right, {n.percent(self.before)} were before (emulator)"
        elif self.agreement is not None:
            found = f"{n.percent(self.agreement)} of {self.samples:,} samples get the class that they had"
        else:
            found = f"outputs of {self.samples:,} samples change by {n.percent(self.deviation)} of their spread (RMS, emulator)"
        return f"{what}: {found}"


def measure_cost(network: Network, realized: Network, x: Array, y: Array | None) -> Cost:
    """Emulate both networks, or one where the realization runs the very same numbers.

    Parameters
    ----------
    network, realized : Network
        Fixed point.
    x : array (N, \\*input shape)
        The first `SAMPLES` of them are taken.
    y : array (N, ...), optional
        Labels, in any form. Accuracy is told of classes, one per sample, and of yes or no from one output.

    Raises
    ------
    InvalidData
        If there are not as many labels as samples.
    """
    y = None if y is None else np.atleast_1d(y)
    if y is not None and len(y) != len(x):
        raise InvalidData(f"{len(y)} labels for {len(x)} samples", where="labels", remedy="give one for each sample")
    x = np.asarray(x)[:SAMPLES]
    old = simulate(network, x, counts=False)
    unchanged = realized.populations is network.populations and realized.connections is network.connections
    new = old if unchanged else simulate(realized, x, counts=False)
    truth = None if y is None else _classes(y, network)
    same = truth is not None or (y is None and _has_classes(network))
    right = [None, None] if truth is None else [float((r.predictions == truth[: len(x)]).mean()) for r in (old, new)]
    record = realized.record.realization
    ratio, corrected = (None, False) if record is None else (record.ratio, bool(record.corrected))
    agreement = float((old.predictions == new.predictions).mean()) if same else None
    deviation, saturated = _deviation(old.logits, new.logits), tuple(lines(new.saturated))
    return Cost(len(x), agreement, right[0], right[1], deviation, ratio, corrected, saturated)


def _deviation(old: Array, new: Array) -> float:
    change, spread = float(np.sqrt(np.mean((new - old) ** 2))), float(np.std(old))
    return change / spread if spread else float(change > 0)


def _has_classes(network: Network) -> bool:
    """Whether the largest of a network's outputs can be its class: several, in a row, and not each with a function of its own."""
    readout = network.readout
    flat = sum(size != 1 for size in ending_shape(readout.ending, (readout.size,))) <= 1
    return readout.size > 1 and not readout.parts and flat and not any(isinstance(function, Pointwise) for function in readout.ending)


def _classes(y: Array, network: Network) -> Array | None:
    """Class indices (N,) from labels in any form; None where they are something else."""
    outputs = network.readout.size
    if outputs == 1:
        return _yes_or_no(y)
    if not _has_classes(network):
        return None
    y = numbered(y, outputs)
    if y.shape[1:] == (outputs,) and is_one_hot(y):
        return np.asarray(y.argmax(axis=1))
    whole = y.size == len(y) and bool((y == np.rint(y)).all())
    return y.reshape(len(y)) if whole else None


def _yes_or_no(y: Array) -> Array | None:
    """0 and 1 (N,) from 0 and 1, -1 and 1, or two names; None where labels are something else."""
    y = numbered(y, 2)
    y = y.reshape(len(y), -1)
    return np.asarray(y[:, 0] > 0).astype(np.int64) if y.shape[1:] == (1,) and is_binary(y) else None
