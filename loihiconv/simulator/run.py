"""A network prepared for a device, while samples run through it.

A chunk of samples goes through the network population by population, and a population's work on a chunk is cut into pieces, whose currents
are made and used up within a core's cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from threading import Lock, local
from typing import TypeAlias

import numpy as np
import torch

from loihiconv.core.input_coding import as_biases, host_sums, input_payloads
from loihiconv.core.linear import Array, Conv
from loihiconv.core.network import (
    IF,
    Input,
    Integrating,
    Integrator,
    MaxPool,
    Network,
    Population,
    Readout,
    Recording,
    assert_never,
)
from loihiconv.core.validation import check_register
from loihiconv.simulator import memory as sizes
from loihiconv.simulator import neurons
from loihiconv.simulator.buffers import Buffers, settle_allocator
from loihiconv.simulator.events import EventSums
from loihiconv.simulator.int8 import Int8Matmul
from loihiconv.simulator.kernels import Kernels
from loihiconv.simulator.layout import channels_last, spread
from loihiconv.simulator.pooling import Gates
from loihiconv.simulator.results import Results
from loihiconv.simulator.sources import PoissonSource


@dataclass
class Neurons:
    """Neurons that integrate, while a chunk runs; in (H, W, C) order for images.

    The same kernels run all of them, by the threshold, reset and largest payload that the population has. ``highest`` is the largest
    potential of any before their silent steps ended, ``sent`` what neurons with signed spikes have sent so far.
    """

    population: Input | IF | Readout
    v: torch.Tensor
    bias: torch.Tensor
    counts: torch.Tensor
    ends: torch.Tensor
    constant: torch.Tensor | None = None
    silent: int = 0
    highest: float = -np.inf
    sent: torch.Tensor | None = None


State: TypeAlias = Neurons | Gates | PoissonSource


class Worker:
    """What one thread keeps from chunk to chunk."""

    def __init__(self, network: Network, device: torch.device) -> None:
        settle_allocator()
        self.buffers = Buffers(device)
        self.totals: dict[str, Array] = {p.name: np.zeros(prod(p.shape), np.int64) for p in network.populations if p.spiking}
        self.arrivals: dict[str, Array] = {p.name: np.zeros(p.shape, np.int64) for p in network.inputs}

    def arrive(self, payload: Mapping[str, Array]) -> None:
        """Count the samples in which each value of an input is not zero."""
        for name, sent in payload.items():
            self.arrivals[name] += np.count_nonzero(sent, axis=0)


class Run:
    """A network prepared for a device, and the samples that it runs on."""

    def __init__(self, network: Network, x: Array, device: torch.device, record: frozenset[str], portable: bool, *, first: int = 0) -> None:
        self.network, self.x, self.device, self.portable, self.first = network, x, device, portable, first
        self.per_sample_counts = "counts" in record
        self.v_max = neurons.saturation(network.fixed_point)
        self.number = torch.int32 if network.fixed_point else torch.float32
        self.never = float(2**31 - 1) if network.fixed_point else 3e38
        self.kernels = Kernels(network, device, portable=portable)
        self.synapses = self.kernels.synapses
        self.start = {p.name: self._per_neuron(p.v_init, p, "v_init") for p in network.populations if isinstance(p, Integrator)}
        self.bias = {p.name: self._per_neuron(p.bias, p, "bias") for p in network.populations if isinstance(p, Integrator)}
        self.last_use = {c.source: c.target for c in network.connections}
        self.block_bytes = sizes.BLOCK_BYTES if device.type == "cpu" else sizes.BLOCK_BYTES_ACCELERATOR
        self.results = Results(network, len(x), record, first=first)
        self.local, self.lock = local(), Lock()
        self.workers: list[Worker] = []

    def chunk(self, first: int, blocks: sizes.Blocks) -> int:
        """Run the samples from ``first`` on that one worker takes at a time; how many there were."""
        network, worker = self.network, self.worker()
        rows = slice(first, min(first + blocks.samples, len(self.x)))
        payload = input_payloads(network, self.x[rows])
        worker.arrive(payload)
        sums = host_sums(network, payload)
        self.results.watch_currents(rows, sums)
        from_host = self.loaded(sums)
        states: dict[str, State] = {}
        fired: dict[str, torch.Tensor] = {}
        trace: list[Array] = []
        for begin in range(0, network.timesteps, blocks.steps):
            end = min(begin + blocks.steps, network.timesteps)
            spikes: dict[str, torch.Tensor] = {}
            for population in network.populations:
                name = population.name
                if isinstance(population, Input) and not population.spiking:
                    continue  # the same at each step: part of its targets' constant currents
                if begin == 0:
                    states[name] = self.begin(population, payload, from_host, first, worker)
                out = self.advance(states[name], spikes, begin, end, worker)
                if not population.spiking:
                    if self.results.with_trace:
                        trace.append(out.cpu().numpy().copy())
                    worker.buffers.give(out)
                else:
                    spikes[name] = out
                    self.results.write("spikes", name, rows, out, slice(begin, end))
                    if population.graded:
                        fired[name] = fired.get(name, 0) + torch.count_nonzero(out, dim=1)
                for source in [s for s in spikes if self.last_use.get(s, s) == name]:
                    worker.buffers.give(spikes.pop(source))
                if end == network.timesteps:
                    self._finish(states.pop(name), rows, worker, fired.pop(name, None))
            worker.buffers.give(*spikes.values())
        self.results.finish(rows, trace)
        return rows.stop - rows.start

    def from_host(self, payload: Mapping[str, Array]) -> dict[str, torch.Tensor]:
        """Biases of the populations whose input sum the host computes."""
        return self.loaded(host_sums(self.network, payload))

    def loaded(self, sums: dict[str, Array]) -> dict[str, torch.Tensor]:
        """What the host loads for its sums, as the kernels take it."""
        shapes = {name: self.network[name].shape for name in sums}
        return {name: self._checked(channels_last(as_biases(s), shapes[name]), name, "bias") for name, s in sums.items()}

    def change(self, network: Network, population: Integrating) -> None:
        """Go on with a network that differs in the potentials and biases of one population."""
        self.network, name = network, population.name
        self.start[name] = self._per_neuron(population.v_init, population, "v_init")
        self.bias[name] = self._per_neuron(population.bias, population, "bias")

    def release(self, state: State, worker: Worker) -> None:
        """Hand back what a population held while its chunk ran."""
        if isinstance(state, Neurons):
            worker.buffers.give(state.v, state.counts, state.ends, *([] if state.sent is None else [state.sent]))

    def recording(self) -> Recording:
        """What all workers found."""
        names = self.workers[0].totals
        totals = {name: np.sum([w.totals[name] for w in self.workers], axis=0) for name in names}
        arrivals = {p.name: np.sum([w.arrivals[p.name] for w in self.workers], axis=0) for p in self.network.inputs}
        return self.results.recording(totals, arrivals)

    def worker(self) -> Worker:
        worker: Worker | None = getattr(self.local, "worker", None)
        if worker is None:
            worker = self.local.worker = Worker(self.network, self.device)
            with self.lock:
                self.workers.append(worker)
        return worker

    def begin(
        self, population: Population, payload: Mapping[str, Array], from_host: dict[str, torch.Tensor], first: int, worker: Worker
    ) -> State:
        """A population at the start of its window."""
        n = len(next(iter(payload.values())))
        match population:
            case MaxPool():
                (connection,) = self.network.incoming(population.name)
                assert isinstance(connection.map, Conv)  # established by Network
                source = self.network[connection.source].shape
                return Gates(population, connection.map, source, n, self.device, portable=self.portable)
            case Input():
                own = payload[population.name]
                if population.coding == "poisson":
                    return PoissonSource(population, own, self.first + first)
                return self._driven(population, own, worker)
            case IF() | Readout():
                v, counts, ends = self._state(population, n, worker)
                v.copy_(self.start[population.name].expand(n, -1))
                bias, silent = from_host.get(population.name, self.bias[population.name]), population.silent_steps
                if silent:
                    v.add_(bias * self.network.timesteps)
                    bias = torch.zeros_like(bias)
                sent = None
                if population.smallest_message < 0:
                    sent = worker.buffers.take((n, population.size), torch.int32).zero_()
                return Neurons(population, v, bias, counts, ends, self._constant(population, payload), silent, sent=sent)
            case _:
                assert_never(population)

    def _driven(self, population: Input, payload: Array, worker: Worker) -> Neurons:
        """Input neurons, whose current is the sample itself."""
        v, counts, ends = self._state(population, len(payload), worker)
        v.fill_(population.payload_max // 2 if self.network.fixed_point else 0.5)
        constant = torch.from_numpy(channels_last(payload, population.shape).astype(np.float32)).to(self.device)
        return Neurons(population, v, torch.zeros((1, population.size), dtype=self.number, device=self.device), counts, ends, constant)

    def _state(self, population: Population, n: int, worker: Worker) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Room for potentials, counts of 0, and no marks of registers' ends."""
        v = worker.buffers.take((n, population.size), self.number)
        counts = worker.buffers.take((n if self.per_sample_counts else 1, population.size), torch.int32).zero_()
        return v, counts, worker.buffers.take((n, population.size), torch.uint8).zero_()

    def _constant(self, population: Population, payload: Mapping[str, Array]) -> torch.Tensor | None:
        """Sums that payloads give, the same at each step: (N, neurons)."""
        total: torch.Tensor | None = None
        for connection in self.network.incoming(population.name):
            source = self.network[connection.source]
            if not source.spiking and not connection.on_host:
                x = torch.from_numpy(channels_last(payload[source.name], source.shape).astype(np.float32)).to(self.device)
                y = self.synapses[connection](x).reshape(len(x), -1)
                total = y if total is None else total.add_(y)
        return total

    def advance(self, state: State, spikes: dict[str, torch.Tensor], begin: int, end: int, worker: Worker) -> torch.Tensor:
        """Spikes of a population in one block of steps, or the readout's potentials, in a buffer of the worker's."""
        population, steps = state.population, end - begin
        kind = self.number if not population.spiking else torch.int8 if population.smallest_message < 0 else torch.uint8
        n = len(state.v if isinstance(state, Neurons) else state.counts)
        out = worker.buffers.take((n, steps, population.size), kind)
        match state:
            case Neurons() if state.silent:
                self._fire_late(state, spikes, out, worker)
            case Neurons() if population.spiking:
                self._fire(state, spikes, out, worker, population.spike_charge(self.network.shift))
            case Neurons():
                self._integrate(state, spikes, out, begin)
            case Gates():
                state.advance(spikes[self.network.incoming(population.name)[0].source], out)
            case PoissonSource():
                here = out.numpy() if self.device.type == "cpu" else np.empty(tuple(out.shape), np.uint8)
                state.advance(begin, here)
                return out if self.device.type == "cpu" else out.copy_(torch.from_numpy(here))
            case _:
                assert_never(state)
        return out

    def _integrate(self, state: Neurons, spikes: dict[str, torch.Tensor], trace: torch.Tensor, begin: int) -> None:
        """Neurons that never spike: potentials after each step, of which those at their ends are marked."""
        self._course(state, spikes, trace, begin)
        if state.population.name in self.kernels.watched:
            state.ends |= neurons.marks((trace >= self.v_max).any(dim=1), (trace <= -self.v_max).any(dim=1))

    def _course(self, state: Neurons, spikes: dict[str, torch.Tensor], trace: torch.Tensor, begin: int) -> None:
        """The readout lets the first steps of a window pass if it is delayed."""
        passed = min(max(self.network.readout.delay - begin, 0), trace.shape[1])
        if passed:
            trace[:, :passed] = state.v[:, None]
            if passed == trace.shape[1]:
                return
            trace, spikes = trace[:, passed:], {name: s[:, passed:] for name, s in spikes.items()}
        for samples, steps, currents in self._currents(state, spikes, trace.shape[1]):
            bias = state.bias[samples] if len(state.bias) > 1 else state.bias
            per_step = currents.view(samples.stop - samples.start, -1, currents.shape[1])
            v, course = state.v[samples], trace[samples, steps]
            neurons.integrate(per_step, bias, v, v_max=self.v_max, trace=course, portable=self.portable)

    def _fire_late(self, state: Neurons, spikes: dict[str, torch.Tensor], out: torch.Tensor, worker: Worker) -> None:
        """Neurons whose first steps are silent: input of so many steps, then input and spikes, then spikes alone."""
        threshold, silent, steps = state.population.spike_charge(self.network.shift), state.silent, out.shape[1]
        self._fire_while(state, spikes, slice(0, silent), worker, self.never)
        if silent < steps:
            out[:, : steps - silent] = self._fire_while(state, spikes, slice(silent, steps), worker, threshold)
        late = torch.zeros((len(out), silent, out.shape[2]), dtype=out.dtype, device=self.device)
        nothing = torch.zeros((len(out), out.shape[2]), dtype=self.number, device=self.device)
        self._firing(state, late, threshold).advance(nothing, slice(0, len(out)), slice(0, silent))
        out[:, steps - silent :] = late

    def _fire_while(self, state: Neurons, spikes: dict[str, torch.Tensor], steps: slice, worker: Worker, threshold: float) -> torch.Tensor:
        """Spikes in some of the steps in which input comes."""
        part = {name: s[:, steps].contiguous() for name, s in spikes.items()}
        fired = torch.zeros((len(state.v), steps.stop - steps.start, state.population.size), dtype=torch.uint8, device=self.device)
        self._fire(state, part, fired, worker, threshold)
        state.highest = max(state.highest, float(state.v.max()))
        return fired

    def _firing(self, state: Neurons, out: torch.Tensor, threshold: float) -> neurons.Firing:
        """Neurons that spike, and where their spikes go."""
        population = state.population
        return neurons.Firing(
            state.bias,
            state.v,
            threshold=threshold,
            v_max=self.v_max,
            to_zero=population.resets == "zero",
            spikes=out,
            counts=state.counts,
            ends=state.ends,
            payload_max=population.largest_message,
            sent=state.sent,
            watched=population.name in self.kernels.watched,
            portable=self.portable,
        )

    def _fire(self, state: Neurons, spikes: dict[str, torch.Tensor], out: torch.Tensor, worker: Worker, threshold: float) -> None:
        """Neurons that spike: in the way that has least to do with memory."""
        firing, name = self._firing(state, out, threshold), state.population.name
        sources = [c.source for c in self.network.incoming(name)]
        if (depthwise := self.kernels.depthwise.get(name)) is not None:
            depthwise.advance([spikes[s] for s in sources], firing, self.network.shift)
            return
        rows = [spikes[s].view(-1, spikes[s].shape[2]) for s in sources if s in spikes]
        if self.kernels.by_events(name, rows):
            self._fire_by_rows(self.kernels.events[name], rows, firing, worker)
        elif (product := self.kernels.products.get(name)) is not None:
            self._fire_by_rows(product, rows, firing, worker)
        else:
            for samples, steps, currents in self._currents(state, spikes, out.shape[1]):
                firing.advance(currents, samples, steps)

    def _fire_by_rows(self, product: Int8Matmul | EventSums, spikes: list[torch.Tensor], firing: neurons.Firing, worker: Worker) -> None:
        """Sums and spikes in turns, each piece so small that its sums stay in the cache."""
        n, duration, size = firing.spikes.shape
        rows = max(1, min(n * duration, sizes.SMALL_BLOCK_BYTES // (product.kind.itemsize * size)))
        sums = worker.buffers.take((rows, size), product.kind)
        array, multiply = sums.numpy(), product.by_rows(spikes, sums)
        for samples, steps in sizes.pieces(n, duration, rows):
            begin = samples.start * duration + steps.start
            multiply(begin, begin + (samples.stop - samples.start) * (steps.stop - steps.start))
            firing.advance(array, samples, steps, product.shift)
        worker.buffers.give(sums)

    def _currents(self, state: Neurons, spikes: dict[str, torch.Tensor], duration: int) -> Iterator[tuple[slice, slice, torch.Tensor]]:
        """Sums of weight x spike in units of v, piece by piece: which samples, which steps, and (samples x steps, neurons).

        There is one row per sample if they are the same at each step.
        """
        n, size = state.v.shape
        incoming = [c for c in self.network.incoming(state.population.name) if c.source in spikes]
        if not incoming:
            constant = state.constant if state.constant is not None else torch.zeros((n, size), device=self.device)
            yield slice(0, n), slice(0, duration), constant
            return
        for samples, steps in sizes.pieces(n, duration, self.block_bytes // sum(self.synapses[c].row_bytes for c in incoming)):
            total: torch.Tensor | None = None
            for connection in incoming:
                s = spikes[connection.source][samples, steps]
                y = self.synapses[connection](s.reshape(-1, s.shape[2]))
                total = y if total is None else total.add_(y)
            assert total is not None  # there is at least one connection
            if state.constant is not None:
                total.view(samples.stop - samples.start, -1, size).add_(state.constant[samples, None])
            yield samples, steps, total

    def _finish(self, state: State, rows: slice, worker: Worker, fired: torch.Tensor | None) -> None:
        """Record a population at the end of its window; ``fired`` are its spikes (N, neurons) where its counts are sums of payloads."""
        name = state.population.name
        sent = state.counts.cpu().numpy() if isinstance(state.counts, torch.Tensor) else state.counts
        if state.population.spiking:
            counts = sent if fired is None else fired.cpu().numpy()
            worker.totals[name] += counts[0] if len(counts) == 1 else counts.sum(axis=0, dtype=np.int64)
            self.results.write("counts", name, rows, counts)
            if fired is not None:
                self.results.write("payloads", name, rows, sent)
        if isinstance(state, Neurons):
            self.results.write("residuals", name, rows, state.v)
            self.results.watch_potentials(name, rows, state.ends)
            if state.population is self.network.readout:
                self.results.write("potentials", "", rows, state.v)
            self.release(state, worker)

    def _per_neuron(self, values: Array, population: Population, what: str) -> torch.Tensor:
        return self._checked(spread(values, population.shape, np.int64 if self.network.fixed_point else np.float32), population.name, what)

    def _checked(self, values: Array, where: str, what: str) -> torch.Tensor:
        """Potentials or biases, within the chip's registers in fixed point; see `neurons`."""
        if self.network.fixed_point:
            check_register(values, where, what)
        return torch.from_numpy(values.astype(np.int32 if self.network.fixed_point else np.float32)).to(self.device)
