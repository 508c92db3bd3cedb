"""Activation statistics over calibration data, streamed: memory does not grow with the number of samples.

Activations are counted in a histogram whose bins are float32 bit patterns cut to `MANTISSA_BITS` of mantissa: no range
has to be known beforehand, and any percentile is right to a relative 2^-10. Channels have coarser histograms of their
own where they are wanted: `CHANNEL_BITS` of mantissa between 2^-24 and 2^24, or the 48 powers of two up to the largest activation
where that is larger; 12 KiB each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numba
import numpy as np
import torch

from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.graph import Ann, MaxPool, Relu
from loihiconv.core.errors import InvalidData
from loihiconv.core.input_checks import Seen
from loihiconv.core.linear import Array, Shape
from loihiconv.core.parts import divided
from loihiconv.core.preprocessing import Preprocessing
from loihiconv.core.record import InputSummary
from loihiconv.core.samples import Batch, Samples, check_samples_limit, one_piece, stream

MANTISSA_BITS = 10
"""Mantissa bits that tell bins apart: a bin is 2^-10 of its value wide."""
BATCH = 128
"""Samples that are evaluated at a time."""
CHANNEL_BITS = 6
"""Mantissa bits of channels' bins, 2^-6 of their value wide."""
_SHIFT = 23 - MANTISSA_BITS
_BINS = 2**31 >> _SHIFT
_CHANNEL_SHIFT = 23 - CHANNEL_BITS
_CHANNEL_LOWEST = (127 - 24) << CHANNEL_BITS
_CHANNEL_BINS = 48 << CHANNEL_BITS

CalibrationData: TypeAlias = Samples
WHERE = "calibration data"


@numba.njit(cache=True)
def _count(bits: Any, histogram: Any) -> None:
    for pattern in bits:
        if pattern > 0:  # positive floats; +0.0 is pattern 0, negative ones have the sign bit
            histogram[pattern >> _SHIFT] += 1


@numba.njit(cache=True)
def _count_channels(bits: Any, histograms: Any, lowest: int) -> None:
    samples, channels, size = bits.shape
    for n in range(samples):
        for c in range(channels):
            for i in range(size):
                pattern = bits[n, c, i]
                if pattern > 0:
                    index = (pattern >> _CHANNEL_SHIFT) - lowest
                    histograms[c, min(max(index, 0), _CHANNEL_BINS - 1)] += 1


class Statistics:
    """What is known of one node's activations.

    Parameters
    ----------
    shape : tuple
        Of one sample's activations.
    per_channel : bool
        Keep a histogram for each channel as well.

    Attributes
    ----------
    values : int
        Number of activations seen, zeros included.
    largest, smallest : float
    square_sum : float
    channel_largest : float array (C,)
    """

    def __init__(self, shape: Shape, *, per_channel: bool = False) -> None:
        self.shape = shape
        self.values = 0
        self.largest, self.smallest, self.square_sum = -np.inf, np.inf, 0.0
        self.channel_largest = np.full(shape[0], -np.inf)
        self._histogram = np.zeros(_BINS, np.int64)
        self._channels = np.zeros((shape[0], _CHANNEL_BINS), np.uint32) if per_channel else None
        self._lowest = _CHANNEL_LOWEST

    def add(self, x: Array) -> None:
        """Count a batch (N, \\*shape) of float32 activations."""
        x = np.ascontiguousarray(x, np.float32)
        self.values += x.size
        self.largest = max(self.largest, float(x.max()))
        self.smallest = min(self.smallest, float(x.min()))
        self.square_sum += float(np.square(x, dtype=np.float64).sum())
        self.channel_largest = np.maximum(self.channel_largest, x.reshape(len(x), self.shape[0], -1).max(axis=(0, 2)))
        _count(x.view(np.int32).ravel(), self._histogram)
        if self._channels is not None:
            self._channels, self._lowest = _with_room(self._channels, self._lowest, self.largest)
            _count_channels(x.view(np.int32).reshape(len(x), self.shape[0], -1), self._channels, self._lowest)

    @property
    def per_channel(self) -> bool:
        """Whether each channel has a histogram."""
        return self._channels is not None

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
        return _percentile(self._histogram, p, self.largest, shift=_SHIFT, lowest=0)

    def channel_percentiles(self, p: float) -> Array:
        """The same for each channel by itself, right to a relative 2^-6: float64 (C,)."""
        assert self._channels is not None  # the caller asked for them
        pairs = zip(self._channels, self.channel_largest, strict=True)
        return np.array([_percentile(h, p, float(largest), shift=_CHANNEL_SHIFT, lowest=self._lowest) for h, largest in pairs])

    def distribution(self) -> tuple[Array, Array]:
        """Positive activations in bins, right to a relative 2^-11: values (K,), and how often each was seen (1, K)."""
        bins = np.flatnonzero(self._histogram)
        return _middles(bins, shift=_SHIFT, lowest=0), self._histogram[None, bins]

    def channel_distributions(self) -> tuple[Array, Array]:
        """The same for each channel by itself, right to a relative 2^-7: values (K,), counts (C, K)."""
        assert self._channels is not None  # the caller asked for them
        bins = np.flatnonzero(self._channels.any(axis=0))
        return _middles(bins, shift=_CHANNEL_SHIFT, lowest=self._lowest), self._channels[:, bins]


def _with_room(histograms: Array, lowest: int, largest: float) -> tuple[Array, int]:
    """Histograms (C, K) whose bins reach to the largest value, and where they begin; what is then below the first bin is counted there."""
    last = int(np.float32(max(largest, 0)).view(np.int32)) >> _CHANNEL_SHIFT
    moved = last - (lowest + _CHANNEL_BINS - 1)
    if moved <= 0:
        return histograms, lowest
    higher = np.zeros_like(histograms)
    kept = max(_CHANNEL_BINS - moved, 0)
    higher[:, :kept] = histograms[:, _CHANNEL_BINS - kept :]
    higher[:, 0] += histograms[:, : _CHANNEL_BINS - kept].sum(axis=1, dtype=np.uint32)
    return higher, lowest + moved


def _percentile(histogram: Array, p: float, largest: float, *, shift: int, lowest: int) -> float:
    """Percentile of what is counted in bins of float32 patterns, the first of which begins at ``lowest << shift``."""
    cumulative = np.cumsum(histogram, dtype=np.int64)
    total = int(cumulative[-1])
    if not total or p >= 100:
        return largest if total else 0.0
    rank = p / 100 * total
    index = int(np.searchsorted(cumulative, rank))
    before = cumulative[index - 1] if index else 0
    edges = _edges(np.array([index, index + 1]), shift=shift, lowest=lowest)
    share = (rank - before) / histogram[index]
    return float(min(edges[0] + share * (edges[1] - edges[0]), largest))


def _edges(bins: Array, *, shift: int, lowest: int) -> Array:
    """Where bins begin, as float64."""
    return (bins.astype(np.int64) + lowest << shift).astype(np.int32).view(np.float32).astype(np.float64)


def _middles(bins: Array, *, shift: int, lowest: int) -> Array:
    return (_edges(bins, shift=shift, lowest=lowest) + _edges(bins + 1, shift=shift, lowest=lowest)) / 2


@dataclass(frozen=True)
class Calibration:
    """Statistics of every rectified node, the input and the output of an `Ann`.

    Attributes
    ----------
    samples : int
    nodes : {node name: Statistics}
    inputs : {input: InputSummary}
        Values that samples had.
    agreement : float or None
        Share of samples on which the network names the class that a reference network names, if there was one; of several outputs the
        mean over them.
    parts : {output: float}
        Largest magnitude of each output where there are several.
    """

    samples: int
    nodes: Mapping[str, Statistics]
    inputs: Mapping[str, InputSummary]
    agreement: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)


def prepared(
    data: Samples, preprocessing: Preprocessing | None = None, *, shape: Shape | None = None, samples: int | None = None
) -> Array | Iterator[Array]:
    """Calibration data as the network takes it: an array where it is in memory at once, or else batches, one after the other.

    Parameters
    ----------
    data : Samples
    preprocessing : Preprocessing, optional
        What becomes of samples first.
    shape : tuple of int, optional
        Of one sample after that, where it is known.
    samples : int, optional
        Not more than so many.
    """
    check_samples_limit(samples)
    whole = one_piece(data, WHERE)
    if whole is None:
        axes = None if preprocessing is None else len(preprocessing.axes[0]) or None
        if shape is not None and preprocessing is not None:
            shape = preprocessing.given_shape(shape)
        return _prepared(stream(data, WHERE, shape=shape, axes=axes), preprocessing, samples)
    return whole[:samples] if preprocessing is None else preprocessing.apply(whole[:samples])


def _prepared(batches: Iterable[Batch], preprocessing: Preprocessing | None, samples: int | None) -> Iterator[Array]:
    left = samples
    for x, _ in batches:
        part = x[:left]
        yield part if preprocessing is None else preprocessing.apply(part)
        if left is not None:
            left -= len(part)
            if not left:
                return


def batches(data: Samples, shape: Shape | None = None, size: int = BATCH) -> Iterator[Array]:
    """Calibration data as float32 arrays (n <= size, \\*shape), checked.

    Parameters
    ----------
    data : Samples
        Labels are not looked at.
    shape : tuple, optional
        What a sample must look like; None takes the first batch's word for it.

    Raises
    ------
    InvalidData
        If there is nothing in it, or a batch is not finite or of another shape.
    """
    empty = True
    for number, (given, _) in enumerate(stream(data, WHERE, shape=shape)):
        if not given.ndim or not len(given):
            continue
        shape = shape if shape is not None else given.shape[1:]
        if given.shape[1:] != shape:
            raise InvalidData(f"samples of shape {given.shape[1:]}", where=f"calibration batch {number}", limit=f"{shape} expected")
        empty = False
        for begin in range(0, len(given), size):  # a memory map is larger than memory
            x = np.require(given[begin : begin + size], np.float32, ["C", "W"])  # and cannot be written to, as PyTorch expects
            if not np.isfinite(x).all():
                raise InvalidData("holds NaN or infinity", where=f"calibration batch {number}", remedy="clean the calibration data")
            yield x
    if empty:
        raise InvalidData("no samples", where=WHERE, limit="at least 1 expected", remedy="a few hundred work well")


def calibrate(
    ann: Ann,
    data: CalibrationData,
    *,
    per_channel: bool = False,
    reference: Ann | None = None,
    progress: Callable[[int], None] | None = None,
) -> Calibration:
    """Run calibration data through the float network and gather statistics.

    Parameters
    ----------
    ann : Ann
        After the passes.
    data : Samples
        As `prepared` gives it.
    per_channel : bool
        Keep statistics per channel as well, for `loihiconv.conversion.scales.choose_scales`.
    reference : Ann, optional
        A network to compare classes with.
    progress : callable (samples done), optional
    """
    wanted = [*(n.name for n in ann.inputs), *(n.name for n in ann if isinstance(n, (Relu, MaxPool))), ann.output.name]
    statistics = {name: Statistics(ann.shapes[name], per_channel=per_channel and isinstance(ann[name], Relu)) for name in wanted}
    evaluator, other = Evaluator(ann), None if reference is None else Evaluator(reference)
    samples, agreed, places = 0, 0.0, [place for place, _ in ann.ends]
    largest = [0.0] * len(places)
    inputs = ann.input_parts
    seen = {part.name: Seen() for part in inputs}
    for x in batches(data, ann.sample_shape):
        output, kept = evaluator(torch.from_numpy(x), keep=wanted)
        for name in statistics:
            values = output if name == ann.output.name else kept[name]
            statistics[name].add(values.numpy())
        samples += len(x)
        for entry, own in divided(x.reshape(len(x), -1), inputs).items():
            seen[entry].add(own)
        flat = output.flatten(1)
        largest = [max(before, float(flat[:, place].abs().max())) for before, place in zip(largest, places, strict=True)]
        if other is not None:
            agreed += _alike(flat, other(torch.from_numpy(x))[0].flatten(1), places)
        if progress is not None:
            progress(samples)
    summaries = {name: values.summary for name, values in seen.items()}
    parts = {part.name: value for part, value in zip(ann.parts, largest, strict=True)} if ann.parts else {}
    return Calibration(samples, statistics, summaries, None if other is None else agreed / samples, parts)


def _alike(outputs: torch.Tensor, others: torch.Tensor, places: list[slice]) -> float:
    """Samples on which two networks name the same class, the mean over outputs."""
    same = [(outputs[:, place].argmax(1) == others[:, place].argmax(1)).sum().item() for place in places]
    return float(np.mean(same))
