"""Activation statistics over calibration data, streamed: memory does not grow with the number of samples.

Activations are counted in a histogram whose bins are float32 bit patterns cut to `MANTISSA_BITS` of mantissa: no range
has to be known beforehand, and any percentile is right to a relative 2^-10.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numba
import numpy as np
import torch

from loihiconv.ann import Ann, MaxPool, Relu
from loihiconv.ann_forward import Evaluator
from loihiconv.errors import InvalidData
from loihiconv.linear import Array, Shape

MANTISSA_BITS = 10
"""Mantissa bits that tell bins apart: a bin is 2^-10 of its value wide."""
BATCH = 128
"""Samples that are evaluated at a time."""
_SHIFT = 23 - MANTISSA_BITS
_BINS = 2**31 >> _SHIFT

CalibrationData: TypeAlias = Array | torch.Tensor | Iterable[Any]


@numba.njit(cache=True)
def _count(bits: Any, histogram: Any) -> None:
    for pattern in bits:
        if pattern > 0:  # positive floats; +0.0 is pattern 0, negative ones have the sign bit
            histogram[pattern >> _SHIFT] += 1


class Statistics:
    """What is known of one node's activations.

    Attributes
    ----------
    values : int
        Number of activations seen, zeros included.
    largest, smallest : float
    square_sum : float
    channel_largest : float array (C,)
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.values = 0
        self.largest, self.smallest, self.square_sum = -np.inf, np.inf, 0.0
        self.channel_largest = np.full(shape[0], -np.inf)
        self._histogram = np.zeros(_BINS, np.int64)

    def add(self, x: Array) -> None:
        """Count a batch (N, \\*shape) of float32 activations."""
        x = np.ascontiguousarray(x, np.float32)
        self.values += x.size
        self.largest = max(self.largest, float(x.max()))
        self.smallest = min(self.smallest, float(x.min()))
        self.square_sum += float(np.square(x, dtype=np.float64).sum())
        self.channel_largest = np.maximum(self.channel_largest, x.reshape(len(x), self.shape[0], -1).max(axis=(0, 2)))
        _count(x.view(np.int32).ravel(), self._histogram)

    @property
    def nonzero(self) -> int:
        """Number of positive activations."""
        return int(self._histogram.sum())

    @property
    def largest_magnitude(self) -> float:
        """Largest absolute value."""
        return max(self.largest, -self.smallest)

    def percentile(self, p: float) -> float:
        """The p-th percentile of the non-zero activations (Rueckauer et al. 2016, section 3.2.2 and figure 1a).

        Interpolated linearly within a bin, so right to a relative 2^-10; p = 100 is the maximum itself ("max-norm").
        0.0 if no activation was positive.
        """
        total = self.nonzero
        if not total:
            return 0.0
        if p >= 100:
            return self.largest
        cumulative = np.cumsum(self._histogram)
        rank = p / 100 * total
        index = int(np.searchsorted(cumulative, rank))
        before = cumulative[index - 1] if index else 0
        edges = (np.array([index, index + 1], np.int64) << _SHIFT).astype(np.int32).view(np.float32).astype(np.float64)
        share = (rank - before) / self._histogram[index]
        return float(min(edges[0] + share * (edges[1] - edges[0]), self.largest))


@dataclass(frozen=True)
class Calibration:
    """Statistics of every rectified node, the input and the output of an `Ann`.

    Attributes
    ----------
    samples : int
    nodes : {node name: Statistics}
    """

    samples: int
    nodes: Mapping[str, Statistics]


def batches(data: CalibrationData, shape: Shape | None = None, size: int = BATCH) -> Iterator[Array]:
    """Calibration data as float32 arrays (n <= size, \\*shape), checked.

    Parameters
    ----------
    data : array, tensor, or iterable of batches
        Of samples, or of (samples, labels) pairs as data loaders give them; labels are not looked at.
    shape : tuple, optional
        What a sample must look like; None takes the first batch's word for it.

    Raises
    ------
    InvalidData
        If there is nothing in it, or a batch is not finite or of another shape.
    """
    whole: Iterable[Any] = [data] if isinstance(data, (np.ndarray, torch.Tensor)) else data
    empty = True
    for number, batch in enumerate(whole):
        if isinstance(batch, (tuple, list)):
            batch = batch[0]
        try:
            x = np.asarray(batch.detach().cpu() if isinstance(batch, torch.Tensor) else batch, np.float32)
        except (TypeError, ValueError) as error:
            raise InvalidData("not numbers", where=f"calibration batch {number}", limit="an array (N, ...) expected") from error
        if not x.ndim or not len(x):
            continue
        shape = shape if shape is not None else x.shape[1:]
        if x.shape[1:] != shape:
            raise InvalidData(f"samples of shape {x.shape[1:]}", where=f"calibration batch {number}", limit=f"{shape} expected")
        if not np.isfinite(x).all():
            raise InvalidData("holds NaN or infinity", where=f"calibration batch {number}", remedy="clean the calibration data")
        empty = False
        for begin in range(0, len(x), size):
            yield x[begin : begin + size]
    if empty:
        raise InvalidData("no samples", where="calibration data", limit="at least 1 expected", remedy="a few hundred work well")


def calibrate(ann: Ann, data: CalibrationData, *, progress: Callable[[int], None] | None = None) -> Calibration:
    """Run calibration data through the float network and gather statistics.

    Parameters
    ----------
    ann : Ann
        After the passes.
    data : array, tensor, or iterable of batches; see `batches`
    progress : callable (samples done), optional
    """
    wanted = [ann.input.name, *(n.name for n in ann if isinstance(n, (Relu, MaxPool))), ann.output.name]
    statistics = {name: Statistics(ann.shapes[name]) for name in wanted}
    evaluator = Evaluator(ann)
    samples = 0
    for x in batches(data, ann.input.shape):
        output, kept = evaluator(torch.from_numpy(x), keep=wanted)
        for name in statistics:
            values = output if name == ann.output.name else kept[name]
            statistics[name].add(values.numpy())
        samples += len(x)
        if progress is not None:
            progress(samples)
    return Calibration(samples, statistics)
