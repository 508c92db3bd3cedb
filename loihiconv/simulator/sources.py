"""Input populations that make spikes of their own while a chunk of samples runs."""

from __future__ import annotations

import numpy as np

from loihiconv.core.input_coding import poisson_spikes
from loihiconv.core.linear import Array
from loihiconv.core.network import Input
from loihiconv.simulator.layout import channels_last


class PoissonSource:
    """Random spikes of a chunk of samples; neurons in (H, W, C) order for images.

    Parameters
    ----------
    population : Input
        With ``coding="poisson"``.
    payload : array (N, \\*shape)
    first : int
        Index of the chunk's first sample in the run.
    """

    def __init__(self, population: Input, payload: Array, first: int) -> None:
        self.population, self.payload, self.first = population, payload, first
        self.counts = np.zeros((len(payload), payload[0].size), np.int32)

    def advance(self, begin: int, spikes: Array) -> None:
        """Write the spikes of the steps from ``begin`` on: uint8 (N, steps, neurons)."""
        for k, payload in enumerate(self.payload):
            drawn = poisson_spikes(self.population, payload, self.first + k, begin=begin, steps=spikes.shape[1])
            spikes[k] = channels_last(drawn, self.population.shape)
        self.counts += spikes.sum(axis=1, dtype=np.int32)
