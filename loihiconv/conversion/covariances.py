"""Covariances of what the weights of each connection are multiplied with, measured on calibration data for `adaptive_rounding`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from loihiconv.core.input_coding import input_payloads
from loihiconv.core.linear import Array, Conv, LinearMap, Sparse
from loihiconv.core.network import Connection, Integrator, Network
from loihiconv.core.recording import Recording
from loihiconv.simulator import simulate

LARGEST = 8192
"""Inputs per output up to which a covariance is kept; weights of more are rounded to the nearest."""
BATCH = 32


@dataclass(eq=False)
class Moments:
    """First and second moments of vectors r (K,), by group, as they come by.

    Parameters
    ----------
    pivot : float32 array (groups, K)
        What is taken off before squaring: where values hardly vary, their squares would not show that they do.
    """

    pivot: Array

    def __post_init__(self) -> None:
        self.rows = 0
        self.total = np.zeros(self.pivot.shape)
        self.squares = np.zeros((*self.pivot.shape, self.pivot.shape[1]))

    def add(self, seen: Array) -> None:
        """Count vectors: float32 (groups, rows, K)."""
        apart = seen - self.pivot[:, None]
        self.rows += apart.shape[1]
        self.total += apart.sum(axis=1, dtype=np.float64)
        self.squares += apart.transpose(0, 2, 1) @ apart

    def __add__(self, other: Moments) -> Moments:
        """Those of both, which share a pivot."""
        both = Moments(self.pivot)
        both.rows, both.total = self.rows + other.rows, self.total + other.total
        both.squares = self.squares + other.squares
        return both

    def covariance(self, *, centred: bool = True) -> Array:
        """H = E[r r'] - E[r] E[r]', or E[r r'] alone: float64 (groups, K, K)."""
        apart = self.total / self.rows
        covariance = self.squares / self.rows - apart[:, :, None] * apart[:, None, :]
        if centred:
            return np.asarray(covariance)
        mean = self.pivot + apart
        return np.asarray(covariance + mean[:, :, None] * mean[:, None, :])


Halves: TypeAlias = tuple[Moments, Moments]
"""Of one half of the samples and of the other."""


def input_moments(network: Network, x: Array, targets: Collection[str] | None = None) -> dict[str, tuple[Halves | None, ...]]:
    """Moments of what each output of a connection receives, over samples and positions, in two halves of the samples.

    Of rates, because what is wrong with a weight adds up over the T steps: r (K,) is what the kernel's window shows of the source's
    messages, averaged over time.

    Parameters
    ----------
    network : Network
        Float.
    x : array (N, \\*shape)
        Calibration samples. Batches of up to `BATCH` neighbours go to either half in turns; one sample leaves the second half empty.
    targets : collection of names, optional
        Only of connections into these populations. What spikes has to be simulated to be measured.

    Returns
    -------
    {population: one for each connection into it}
        None for connections of more than `LARGEST` inputs per output, and for those whose outputs have inputs of their own each
        (`Sparse`). Gates, which sum nothing, are left out.
    """
    names = [p.name for p in network.populations if isinstance(p, Integrator) and (targets is None or p.name in targets)]
    wanted = [c for name in names for c in network.incoming(name) if measurable(c.map)]
    found: dict[Connection, Halves] = {}
    size = max(1, min(BATCH, len(x) // 2))
    for number, begin in enumerate(range(0, len(x), size)):
        part = x[begin : begin + size]
        recording = simulate(network, part) if any(network[c.source].spiking for c in wanted) else None
        for connection in wanted:
            seen = seen_by(connection.map, _rates(network, connection.source, part, recording))
            if connection not in found:
                pivot = seen.mean(axis=1)
                found[connection] = Moments(pivot), Moments(pivot)
            found[connection][number % 2].add(seen)
    return {name: tuple(found.get(c) for c in network.incoming(name)) for name in names}


def input_covariances(
    network: Network, x: Array, *, centred: bool = True, targets: Collection[str] | None = None
) -> Mapping[str, tuple[Array | None, ...]]:
    """Covariance of what each output of a connection receives: H = E[r r'] - E[r] E[r]', of `input_moments` of all samples.

    Parameters
    ----------
    network, x, targets
        As in `input_moments`.
    centred : bool
        Take the mean off, for it will be the bias correction that repairs it.

    Returns
    -------
    {population: one for each connection into it}
        float64 arrays (groups, K, K) or None.
    """
    return {
        name: tuple(None if halves is None else (halves[0] + halves[1]).covariance(centred=centred) for halves in known)
        for name, known in input_moments(network, x, targets).items()
    }


def _rates(network: Network, name: str, x: Array, recording: Recording | None) -> Array:
    """What a population sends on average per step, float32."""
    if not network[name].spiking:
        return input_payloads(network, x)[name].astype(np.float32)
    assert recording is not None  # it spikes
    return (recording.sent(name) / np.float32(network.timesteps)).astype(np.float32)


def seen_by(linear: LinearMap, x: Array) -> Array:
    """What the weights of each output of a `measurable` map are multiplied with: (groups, rows, K) from a batch (N, \\*input shape)."""
    return linear.columns(x) if isinstance(linear, Conv) else x.reshape(1, len(x), -1)


def measurable(linear: LinearMap) -> bool:
    """Whether there is a covariance that all outputs of a channel, or of the map, share, and which is small enough to keep."""
    return not isinstance(linear, Sparse) and int(np.prod(linear.weight.shape[1:])) <= LARGEST
