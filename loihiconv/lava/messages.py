"""What an input sends in each step, to whoever sends it: the host as the run goes on, or a buffer on the chip that holds all of it."""

from __future__ import annotations

import numpy as np

from loihiconv.core.input_coding import poisson_spikes
from loihiconv.core.linear import Array
from loihiconv.core.network import Input
from loihiconv.core.neurons import fire
from loihiconv.lava.files import Samples


class Messages:
    """Payloads or spikes of an input's samples.

    Parameters
    ----------
    population : Input
    samples : Samples
        Its payloads, as Lava's arrays.
    first : int
        Index of the first of them in the run that they are part of: random spikes depend on it.
    """

    def __init__(self, population: Input, samples: Samples, first: int = 0) -> None:
        self._population, self._samples, self._first = population, samples, first
        self._payload = self._v = np.zeros(0, np.int32)

    def __len__(self) -> int:
        return len(self._samples)

    def at(self, sample: int, step: int) -> Array:
        """What is sent in a step of a sample, as int32; steps of a sample are asked for in order, from 0."""
        population = self._population
        if step == 0:
            self._payload = self._samples[sample]
            self._v = np.full_like(self._payload, population.payload_max // 2)
        if population.coding == "analog":
            return self._payload
        if population.coding == "poisson":
            drawn = poisson_spikes(population, self._payload.T, self._first + sample, begin=step, steps=1)
            return np.asarray(drawn[0].T.astype(np.int32))
        # Rate: integrate-and-fire with the payload as its input and payload_max as its threshold, from half of it.
        self._v += self._payload
        return np.asarray(fire(self._v, population.payload_max).astype(np.int32))


def frames(messages: Messages, timesteps: int, windows: int, delay: int = 0) -> Array:
    """All that is sent in a run, one frame per step: (\\*shape, delay + windows T).

    Parameters
    ----------
    messages : Messages
    timesteps : int
        T, of each sample.
    windows : int
        Samples that are run, one after the other, and from the first one again.
    delay : int
        Steps before the first of them in which nothing is sent, for a skip connection.
    """
    each = [messages.at(sample, step) for sample in range(min(len(messages), windows)) for step in range(timesteps)]
    sent = np.stack(each, axis=-1)
    order = np.arange(windows * timesteps) % sent.shape[-1]
    return np.concatenate([np.zeros((*sent.shape[:-1], delay), sent.dtype), sent[..., order]], axis=-1)
