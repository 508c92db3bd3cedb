"""Samples that do not look like those that a network was calibrated on: said in one line, never silently clipped."""

from __future__ import annotations

from math import sqrt

import numpy as np

from loihiconv.core.input_coding import input_values, preprocessed
from loihiconv.core.linear import Array
from loihiconv.core.network import Input, Network
from loihiconv.core.record import CalibrationSummary, InputSummary

OUTSIDE = 1.25
"""Multiples of the calibrated range from which on a value counts as outside of it: test data exceeds training data by a little."""
OUTSIDE_SHARE = 0.01
"""Share of samples that may have such values."""
FILLED = 0.25
"""Share of the calibrated range that samples should reach."""
FEWEST = 5
"""Samples below which a range that is not filled, or a mean, says nothing."""
SHIFTED = 0.6
"""Difference of means that counts, in standard deviations of calibration's values."""
SIGMAS = 4.0
"""How many times the mean's standard error it has to be as well: a few samples of one class differ from all."""
SPREAD = 2.0
"""By what factor standard deviations may differ, and of few samples by more: SPREAD (1 + 2 / sqrt(n))."""
BATCH = 1024
_REMEDY = "preprocess samples as for calibration"


def input_doubts(network: Network, x: Array) -> str | None:
    """A reason to doubt that samples are like calibration's once they are preprocessed; None where nothing looks wrong.

    Parameters
    ----------
    network : Network
        Its inputs' ``scale`` is the largest magnitude that calibration saw; its record has what else is known.
    x : array (N, \\*sample_shape)
        As `loihiconv.core.input_coding.check_samples` gives it.

    Returns
    -------
    str or None
        One line: what was seen, on how many samples, and what to do.
    """
    calibration = network.record.calibration
    if not network.fixed_point and not calibration.samples:
        return None  # a float network that was imported without calibration knows no range
    each = (
        (source, _doubt(source, values, calibration))
        for source, values in zip(network.inputs, input_values(network, x).values(), strict=True)
    )
    found = [said if len(network.inputs) == 1 else f"input {source.name}: {said}" for source, said in each if said]
    return "; ".join(found) or None


def _doubt(source: Input, x: Array, calibration: CalibrationSummary) -> str | None:
    seen = Seen()
    for begin in range(0, len(x), BATCH):
        seen.add(preprocessed(source, x[begin : begin + BATCH]))
    return _range(source, seen) or _spread(source, seen, len(x), calibration.inputs.get(source.name), calibration.samples)


class Seen:
    """Range, means and standard deviation of samples, batch by batch."""

    def __init__(self) -> None:
        self.values, self._total, self._squares = 0, 0.0, 0.0
        self._highest: list[Array] = []
        self._lowest: list[Array] = []
        self._means: list[Array] = []

    def add(self, x: Array) -> None:
        """Take samples (n, \\*shape) as the network takes them."""
        rows = x.reshape(len(x), -1)
        self.values += rows.size
        self._highest.append(rows.max(axis=1))
        self._lowest.append(rows.min(axis=1))
        self._means.append(rows.mean(axis=1, dtype=np.float64))
        self._total += float(rows.sum(dtype=np.float64))
        self._squares += float(np.square(rows, dtype=np.float64).sum())

    @property
    def highest(self) -> Array:
        """Largest value of each sample."""
        return np.concatenate(self._highest)

    @property
    def lowest(self) -> Array:
        """Smallest value of each sample."""
        return np.concatenate(self._lowest)

    @property
    def summary(self) -> InputSummary:
        """What is kept of it in a record."""
        mean = self._total / self.values
        std = sqrt(max(self._squares / self.values - mean * mean, 0.0))
        spread = float(np.concatenate(self._means).std())
        return InputSummary(float(self.lowest.min()), float(self.highest.max()), mean, std, spread)


def _range(source: Input, seen: Seen) -> str | None:
    """Whether samples reach beyond the range that payloads stand for, or hardly into it."""
    scale, highest, lowest = source.scale, seen.highest, seen.lowest
    n, reach = len(highest), max(float(highest.max()), -float(lowest.min()))
    outside = int(((highest > OUTSIDE * scale) | (lowest < -OUTSIDE * scale)).sum())
    negative = int((lowest < -(OUTSIDE - 1) * scale).sum()) if not source.signed else 0
    if outside > OUTSIDE_SHARE * n:
        divided = " (bytes of 0 to 255, not divided by 255?)" if lowest.min() >= 0 and scale <= 2 and 100 < reach <= 255 else ""
        return (
            f"{outside:,} of {n:,} samples have values far outside of the calibrated range of {scale:.3g}, up to {reach:.3g}; they "
            f"are clipped: {_REMEDY}{divided}, or calibrate with samples like these"
        )
    if negative > OUTSIDE_SHARE * n:
        return f"{negative:,} of {n:,} samples have negative values, which calibration had not; they count as 0: {_REMEDY}"
    if n >= FEWEST and reach < FILLED * scale:
        return f"all {n:,} samples stay below {reach:.3g}, where calibration reached {scale:.3g}: {_remedy(source)}"
    return None


def _remedy(source: Input) -> str:
    own = source.preprocessing
    if own is None or own.plain:
        return f"{_REMEDY} (0 to 1 or 0 to 255? mean and std?)"
    return f"give them as they are, and not preprocessed already: the network itself does {own}"


def _spread(source: Input, seen: Seen, n: int, known: InputSummary | None, calibrated: int) -> str | None:
    """Whether mean or standard deviation are others than calibration's, by more than a few samples' may be."""
    if known is None or n < FEWEST or not known.std:
        return None
    here = seen.summary
    error = known.sample_spread * sqrt(1 / n + 1 / max(calibrated, 1))
    shifted = abs(here.mean - known.mean) > max(SHIFTED * known.std, SIGMAS * error)
    factor = SPREAD * (1 + 2 / sqrt(n))
    if not shifted and known.std / factor <= here.std <= known.std * factor:
        return None
    return (
        f"the {n:,} samples have a mean of {here.mean:.3g} and a deviation of {here.std:.3g}, where calibration's {calibrated:,} had "
        f"{known.mean:.3g} and {known.std:.3g}: {_remedy(source)}"
    )
