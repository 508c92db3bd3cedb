"""One population after the other on the same samples, so that each can be changed before the next ones run.

What depends on how a layer really fires (corrections of biases, for one) goes through a network from its input to its readout. Running
everything before a layer again for each layer would take as many runs as there are layers; here the spikes that later populations still
need are kept, packed into bits, and every population runs once to be measured and once to stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from threading import Lock

import numpy as np
import torch

from loihiconv.core.input_coding import check_samples, input_payloads
from loihiconv.core.linear import Array
from loihiconv.core.network import Integrating, Network
from loihiconv.simulator import memory as sizes
from loihiconv.simulator.devices import find_device, threads
from loihiconv.simulator.layout import channels_first
from loihiconv.simulator.run import Neurons, Run


class Layerwise:
    """A network, on samples, up to some population.

    Parameters
    ----------
    network : Network
    x : array (N, \\*input shape)

    Attributes
    ----------
    network : Network
        With all replacements so far.
    potentials : {population: (lowest, highest)}
        Of those that were settled and integrate: over all samples and neurons, after the window, in units of v.
    """

    def __init__(self, network: Network, x: Array) -> None:
        self.network, self.x = network, check_samples(network, x)
        self._device = device = find_device("cpu")
        self._run = Run(network, self.x, device, frozenset(), portable=False)
        self._workers, self._lock = torch.get_num_threads(), Lock()
        self._blocks = sizes.plan(network, len(self.x), memory=sizes.budget(None, device), workers=self._workers)
        self._sent: dict[str, dict[int, Array]] = {}
        self.potentials: dict[str, tuple[float, float]] = {}
        for source in network.inputs:
            if source.spiking:
                self.settle(source.name)

    def replace(self, population: Integrating) -> None:
        """Put another population, of other biases, thresholds or start potentials, in the place of the one that has its name."""
        others = tuple(population if p.name == population.name else p for p in self.network.populations)
        self.network = replace(self.network, populations=others)
        self._run.change(self.network, population)

    def rewire(self, network: Network) -> None:
        """Go on with a network of other weights into populations that have not been settled."""
        self.network = network
        self._run = Run(network, self.x, self._device, frozenset(), portable=False)

    def sent(self, name: str) -> Array:
        """What each neuron of a settled population sent to those behind it in its window, while they are not settled: (N, \\*shape)."""
        population, timesteps = self.network[name], self.network.timesteps
        sums = [
            self._unpacked(name, first, slice(0, timesteps), _fresh).sum(dim=1, dtype=torch.int32).numpy()
            for first in sorted(self._sent[name])
        ]
        return channels_first(np.concatenate(sums), population.shape)

    def measure(self, name: str) -> Array:
        """Mean over samples of what each neuron of a population sends in its window, or of a readout's last potentials.

        All populations before it must have been settled.

        Returns
        -------
        float64 array (\\*shape)
        """
        return self._pass(name, keep=False)

    def settle(self, name: str) -> None:
        """Run a population as it is now, and keep its spikes for those behind it."""
        self._pass(name, keep=True)
        for source in [s for s in self._sent if self._run.last_use.get(s) == name]:
            del self._sent[source]

    def _pass(self, name: str, *, keep: bool) -> Array:
        population, kept = self.network[name], self._sent.setdefault(name, {}) if keep else None
        totals: list[Array] = []

        def work(first: int) -> int:
            total, spikes = self._chunk(name, first, keep)
            totals.append(total)
            if kept is not None:
                kept[first] = spikes
            return 0

        with threads(self._workers) as each:
            list(each(work, range(0, len(self.x), self._blocks.samples)))
        self._run.workers.clear()  # their threads are gone
        mean = np.sum(totals, axis=0) / len(self.x)
        return np.asarray(channels_first(mean[None], population.shape)[0])

    def _chunk(self, name: str, first: int, keep: bool) -> tuple[Array, Array]:
        """What one worker does: the sum over its samples, (neurons,), and, if asked for, packed spikes."""
        run, blocks, network = self._run, self._blocks, self.network
        population, worker = network[name], run.worker()
        payload = input_payloads(network, self.x[first : first + blocks.samples])
        from_host = run.from_host(payload) if any(c.on_host for c in network.incoming(name)) else {}
        state = run.begin(population, payload, from_host, first, worker)
        packed: list[Array] = []
        for begin in range(0, network.timesteps, blocks.steps):
            end = min(begin + blocks.steps, network.timesteps)
            sources = {c.source for c in network.incoming(name) if c.source in self._sent}
            spikes = {s: self._unpacked(s, first, slice(begin, end), worker.buffers.take) for s in sources}
            out = run.advance(state, spikes, begin, end, worker)
            if keep:
                packed.append(self._packed(name, out.numpy()))
            worker.buffers.give(out, *spikes.values())
        sent = state.v if isinstance(state, Neurons) and not population.spiking else state.counts
        total = np.asarray(sent).sum(axis=0, dtype=np.float64)
        if keep and isinstance(state, Neurons):
            self._seen(name, float(state.v.min()), max(float(state.v.max()), state.highest))
        run.release(state, worker)
        return total, np.concatenate(packed, axis=1) if keep else np.empty(0)

    def _seen(self, name: str, lowest: float, highest: float) -> None:
        with self._lock:
            before = self.potentials.get(name, (lowest, highest))
            self.potentials[name] = min(before[0], lowest), max(before[1], highest)

    def _packed(self, name: str, spikes: Array) -> Array:
        return spikes.copy() if self.network[name].graded else np.packbits(spikes, axis=2)

    def _unpacked(self, name: str, first: int, steps: slice, take: Callable[..., torch.Tensor]) -> torch.Tensor:
        kept, neurons = self._sent[name][first][:, steps], prod(self.network[name].shape)
        kind = torch.int8 if self.network[name].smallest_message < 0 else torch.uint8
        spikes = take((*kept.shape[:2], neurons), kind)
        spikes.numpy()[...] = kept if self.network[name].graded else np.unpackbits(kept, axis=2, count=neurons)
        return spikes


def _fresh(shape: tuple[int, ...], kind: torch.dtype) -> torch.Tensor:
    return torch.empty(shape, dtype=kind)
