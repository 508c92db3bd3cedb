"""How well every population's rates stand for the float network's activations, summed up while samples stream by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np

from loihiconv.core.linear import Array
from loihiconv.core.network import IF, MaxPool, Network, Population

POINTS = 600
"""Neurons in a layer's scatter plot of activations against rates."""
BINS = 32
"""Bins of a layer's histograms, from 0 to one spike per step; one more holds what lies above."""


@dataclass(frozen=True)
class RateError:
    """Error of one population's rates at one stage of the chain.

    Attributes
    ----------
    rms : float
        Root mean square of rate - activation, in spikes per step (outputs of the float network for the readout).
    mean : float
        Mean of rate - activation.
    """

    rms: float
    mean: float


@dataclass(frozen=True, eq=False)
class LayerStatistics:
    """One population's rates beside the activations they stand for, over all its neurons and some samples.

    Attributes
    ----------
    population : str
    kind : str
        "spiking", "max-pooling" or "readout".
    shape : tuple
    samples : int
    activation_rms : float
        Root mean square of the activations a / λ.
    correlation : float
        Pearson's, of rates and activations; NaN where one of them is constant.
    error : RateError
    saturated : float
        Share of (neuron, sample) pairs with the largest spike in every step.
    clipped : float
        Share of positive activations that are above the largest spike per step, which no neuron can send.
    silent : float
        Share of neurons without a spike on any of the samples.
    silent_before : float
        Share of neurons whose activation is 0 on all of the samples.
    left_over : float or None
        Mean of |V(T) - V(0)| / τ over neurons that spiked, in spikes (Eq. 6); None for gates and the readout.
    errors : {stage: RateError}
        Along the chain.
    activation_histogram, rate_histogram : int arrays (BINS + 1,)
        Of positive values, in bins of ``largest`` / `BINS`; the last one counts values above ``largest``.
    scatter : float32 array (2, <= `POINTS`)
        Activations and rates of some neurons, chosen by a seed among those of which one is not 0.
    largest : int
        What a neuron can send per step: 1, or the largest payload of graded spikes.
    """

    population: str
    kind: str
    shape: tuple[int, ...]
    samples: int
    activation_rms: float
    correlation: float
    error: RateError
    saturated: float
    clipped: float
    silent: float
    silent_before: float
    left_over: float | None
    activation_histogram: Array
    rate_histogram: Array
    scatter: Array
    errors: Mapping[str, RateError] = field(default_factory=dict)
    largest: int = 1

    @property
    def neurons(self) -> int:
        """Number of neurons."""
        return prod(self.shape)

    @property
    def relative_error(self) -> float:
        """Root mean square error as a share of the activations' root mean square; 0 where both are 0."""
        return relative(self.error.rms, self.activation_rms)


def relative(error: float, size: float) -> float:
    """An error as a share of the size of what it is an error of; 1 where there is an error of nothing."""
    return error / size if size else float(error > 0)


class ErrorSum:
    """Running mean and mean square of an error, and the mean square of what it is an error of."""

    def __init__(self) -> None:
        self.values, self.total, self.square, self.size = 0, 0.0, 0.0, 0.0

    def add(self, activation: Array, rate: Array) -> None:
        """Take in arrays of the same shape."""
        error = (np.asarray(rate, np.float64) - activation).ravel()
        self.values += error.size
        self.total += float(error.sum())
        self.square += float(np.vdot(error, error))
        self.size += float(np.square(activation, dtype=np.float64).sum())

    def result(self) -> RateError:
        """The error over all that was taken in."""
        return RateError(float(np.sqrt(self.square / self.values)), self.total / self.values)


class LayerSum:
    """Running statistics of one population; nothing in it grows with the number of samples.

    Of neurons that stand for one activation together, their mean is what is looked at.

    Parameters
    ----------
    population : Population
    timesteps : int
    copies : int
        Neurons next to each other that stand for one activation together.
    seed : int
        Of the choice of neurons for the scatter plot.
    """

    def __init__(self, population: Population, timesteps: int, *, copies: int = 1, seed: int = 0) -> None:
        self.population, self.timesteps, self.largest = population, timesteps, max(1, population.largest_message)
        self.copies = copies
        activations = (population.shape[0] // self.copies, *population.shape[1:])
        self.error = ErrorSum()
        self.samples = self.saturated = self.active = self.clipped = self.spiked = 0
        self.left = 0.0
        self.moments = np.zeros(5)
        self.ever_spiked = np.zeros(activations, bool)
        self.ever_active = np.zeros(activations, bool)
        self.histograms = np.zeros((2, BINS + 1), np.int64)
        self.random = np.random.default_rng(seed)
        self.points: list[Array] = []

    def per_activation(self, values: Array) -> Array:
        """Means over the copies of each channel: (N, \\*shape) -> (N, C, ...)."""
        if self.copies == 1:
            return values
        n, channels, *rest = values.shape
        return np.asarray(values.reshape(n, channels // self.copies, self.copies, *rest).mean(axis=2))

    def add(self, activation: Array, rate: Array, delta: Array | None = None) -> None:
        """Take in a batch (N, \\*shape).

        Parameters
        ----------
        activation, rate : arrays
            In spikes per step; outputs for a readout.
        delta : array, optional
            V(T) - V(0) in thresholds.
        """
        activation, rate = self.per_activation(activation), self.per_activation(rate)
        self.samples += len(rate)
        self.error.add(activation, rate)
        a, r = activation.astype(np.float64).ravel(), rate.astype(np.float64).ravel()
        self.moments += [a.sum(), r.sum(), np.vdot(a, a), np.vdot(r, r), np.vdot(a, r)]
        self.ever_spiked |= (rate > 0).any(axis=0)
        self.ever_active |= (activation > 0).any(axis=0)
        if self.population.spiking:
            most = self.largest
            self.saturated += int((r >= most).sum())
            self.active += int((a > 0).sum())
            self.clipped += int((a > most).sum())
            for histogram, values in zip(self.histograms, (a / most, r / most), strict=True):
                bins = np.minimum(np.ceil(values[values > 0] * BINS).astype(np.int64) - 1, BINS)
                histogram += np.bincount(bins, minlength=BINS + 1)
        if delta is not None:
            spiked = rate > 0
            self.spiked += int(spiked.sum())
            self.left += float(self.per_activation(np.abs(delta))[spiked].sum())
        self._choose(a, r)

    def result(self, errors: Mapping[str, RateError]) -> LayerStatistics:
        """The statistics over all that was taken in."""
        n = self.error.values
        sum_a, sum_r, aa, rr, ar = self.moments
        fires = self.population.spiking and self.population.has_potential
        spread = np.sqrt(max(n * aa - sum_a**2, 0.0) * max(n * rr - sum_r**2, 0.0))
        return LayerStatistics(
            self.population.name,
            self.population.kind,
            self.population.shape,
            self.samples,
            float(np.sqrt(aa / n)),
            float((n * ar - sum_a * sum_r) / spread) if spread > 0 else float("nan"),
            self.error.result(),
            self.saturated / n,
            self.clipped / self.active if self.active else 0.0,
            float(1 - self.ever_spiked.mean()),
            float(1 - self.ever_active.mean()),
            self.left / self.spiked if self.spiked else (0.0 if fires else None),
            self.histograms[0],
            self.histograms[1],
            np.concatenate(self.points, axis=1)[:, :POINTS],
            errors,
            self.largest,
        )

    def _choose(self, a: Array, r: Array) -> None:
        """Keep some neurons of each batch, the fewer the more there are already."""
        interesting = np.flatnonzero((a != 0) | (r != 0))
        chosen = self.random.choice(interesting, min(POINTS, len(interesting)), replace=False)
        new = np.stack([a[chosen], r[chosen]]).astype(np.float32)
        if not self.points:
            self.points = [new]
            return
        merged = np.concatenate([self.points[0], new], axis=1)
        kept = self.random.choice(merged.shape[1], min(POINTS, merged.shape[1]), replace=False)
        self.points = [merged[:, kept]]


def layer_sums(network: Network) -> dict[str, LayerSum]:
    """Empty statistics of every population but the inputs."""
    return {p.name: LayerSum(p, network.timesteps, copies=_copies(network, p), seed=i) for i, p in enumerate(network.layers, 1)}


def _copies(network: Network, population: Population) -> int:
    """Neurons, or gates that pool theirs, which stand for one activation together."""
    while isinstance(population, MaxPool):
        (connection,) = network.incoming(population.name)
        population = network[connection.source]
    return population.copies if isinstance(population, IF) else 1
