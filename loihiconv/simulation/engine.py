"""The simulator: batched, layer by layer, all steps of a block at once; float and fixed point alike.

No population waits for another's delay: windows are aligned to the wavefront (see `loihiconv.network`), so this is
exactly what Lava and the chip compute. Samples are cut into chunks, and time into blocks, so that one layer's
currents stay within a core's cache and memory does not grow with the number of samples. Each core works on chunks of
its own: no barrier within a layer, so a busy neighbour costs its share and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from threading import Lock

import numpy as np
import torch

from loihiconv.coding import check_samples, host_currents, payloads
from loihiconv.errors import InvalidSetting
from loihiconv.linear import Array, Shape
from loihiconv.network import IF, Input, Network, Population, Readout, Recording
from loihiconv.operations import activity
from loihiconv.simulation import neurons
from loihiconv.simulation.synapses import Synapses

CACHE_BYTES = 4 * 2**20
"""Currents and spikes of the largest layer in one block: about what one core's caches hold."""
RECORDS = ("spikes", "potentials")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Blocks:
    """How a run is cut: ``samples`` at a time, ``steps`` at a time."""

    samples: int
    steps: int


def plan(network: Network, samples: int) -> Blocks:
    """Cut so that the largest population's currents (4 bytes) and spikes (1 byte) fit into `CACHE_BYTES`.

    Time is cut only where a single sample's whole window would not fit.
    """
    largest = max(prod(p.shape) for p in network.populations) * 5
    steps = max(1, min(network.timesteps, CACHE_BYTES // largest))
    return Blocks(samples=max(1, min(samples, CACHE_BYTES // (largest * steps))), steps=steps)


def simulate(
    network: Network,
    x: Array,
    *,
    record: Collection[str] = (),
    counts: bool = True,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Recording:
    """Run a network, float or fixed point, on samples.

    Parameters
    ----------
    network : Network
    x : array (N, \\*input shape)
    record : collection of "spikes" and "potentials"
        "spikes" keeps every spike (N T neurons bytes), "potentials" the readout after each step.
    counts : bool
        Keep spike counts per sample and neuron (4 N neurons bytes). Without them memory does not grow with N.
    device : str
        A torch device; the integers are the same on all of them.
    progress : callable (samples done, samples in all), optional

    Returns
    -------
    Recording
        Bit for bit what Lava's fixed-point simulation gives, if the network is fixed point.

    Raises
    ------
    InvalidData
        If samples have the wrong shape, are not finite or are none.
    InvalidSetting
        If ``record`` holds something else.
    """
    if unknown := set(record) - set(RECORDS):
        raise InvalidSetting(f"cannot record {sorted(unknown)[0]!r}", where="record", limit=f"any of {', '.join(RECORDS)}")
    x = check_samples(network.input, x)
    run = _Run(network, torch.device(device), frozenset(record) | ({"counts"} if counts else set()))
    blocks = plan(network, len(x))
    chunks = [x[begin : begin + blocks.samples] for begin in range(0, len(x), blocks.samples)]
    parts: list[_Part] = []
    done = 0
    with _threads(run.device) as each:
        for part in each(lambda chunk: run.chunk(chunk, blocks.steps), chunks):
            parts.append(part)
            done += len(part.potentials)
            if progress is not None:
                progress(done, len(x))
    return run.recording(parts)


@dataclass
class _Part:
    """What one chunk of samples gave, channels first."""

    potentials: Array
    counts: dict[str, Array]
    spikes: dict[str, Array]
    trace: Array | None


@dataclass
class _State:
    """One population while a chunk runs; neurons in (H, W, C) order for images."""

    population: Population
    v: Array
    bias: Array
    counts: Array
    constant: Array | None = None


class _Run:
    """A network prepared for a device."""

    def __init__(self, network: Network, device: torch.device, record: frozenset[str]) -> None:
        self.network, self.device, self.record = network, device, record
        self.synapses = {c: Synapses(network, c, device) for c in network.connections if not c.on_host}
        self.dtype = np.int32 if network.fixed_point else np.float32
        self.totals: dict[str, Array] = {p.name: np.zeros(p.shape, np.int64) for p in network.populations if p.spiking}
        self.arrivals = np.zeros(network.input.shape, np.int64)
        self.lock = Lock()

    def chunk(self, x: Array, block: int) -> _Part:
        network = self.network
        payload = payloads(network.input, x)
        states = {p.name: s for p, s in self._states(payload)}
        steps_seen: dict[str, list[Array]] = {name: [] for name in states if "spikes" in self.record}
        trace: list[Array] = []
        for begin in range(0, network.timesteps, block):
            steps = min(block, network.timesteps - begin)
            last_use = {c.source: c.target for c in network.connections}
            spikes: dict[str, Array] = {}
            for name, state in states.items():
                currents = self._currents(state, spikes, steps)
                if isinstance(state.population, Readout):
                    trace.append(neurons.integrate(currents, state.bias, state.v, shift=network.shift, steps=steps))
                    continue
                spikes[name] = self._fire(state, currents, steps)
                if "spikes" in self.record:
                    steps_seen[name].append(spikes[name].astype(bool))
                for source in [s for s, target in last_use.items() if target == name and s in spikes]:
                    del spikes[source]
        self._add_up(states, payload)
        kept = self.totals if "counts" in self.record else ()
        readout = network.readout
        whole = np.concatenate(trace, axis=1)
        return _Part(
            potentials=_channels_first(states[readout.name].v, readout.shape),
            counts={name: _channels_first(states[name].counts, states[name].population.shape) for name in kept},
            spikes={n: _channels_first(np.concatenate(s, axis=1), states[n].population.shape) for n, s in steps_seen.items() if s},
            trace=_channels_first(whole, readout.shape) if "potentials" in self.record else None,
        )

    def _add_up(self, states: dict[str, _State], payload: Array) -> None:
        with self.lock:
            self.arrivals += np.count_nonzero(payload, axis=0)
            for name, total in self.totals.items():
                state = states[name]
                total += _channels_first(state.counts.sum(axis=0, dtype=np.int64), state.population.shape)

    def recording(self, parts: list[_Part]) -> Recording:
        """All chunks of a run put together."""
        network = self.network
        potentials = np.concatenate([p.potentials for p in parts])
        traces = [p.trace for p in parts if p.trace is not None]
        return Recording(
            predictions=potentials.reshape(len(potentials), -1).argmax(axis=1),
            potentials=potentials,
            spike_counts={name: np.concatenate([p.counts[name] for p in parts]) for name in parts[0].counts},
            timesteps=network.timesteps,
            backend="emulator" if network.fixed_point else "float",
            spikes={name: np.concatenate([p.spikes[name] for p in parts]) for name in parts[0].spikes},
            potentials_over_time=np.concatenate(traces) if traces else None,
            **vars(activity(network, self.totals, self.arrivals, len(potentials))),
        )

    def _states(self, payload: Array) -> Iterator[tuple[Population, _State]]:
        """Populations in order, each at the start of its window."""
        network, n = self.network, len(payload)
        currents = host_currents(network, payload)
        for population in network.populations:
            shape, size = population.shape, prod(population.shape)
            counts = np.zeros((n, size), np.int32)
            if isinstance(population, Input):
                if not population.spiking:
                    continue
                start = population.payload_max // 2 if network.fixed_point else 0.5
                v, bias = np.full((n, size), start, self.dtype), np.zeros((1, size), self.dtype)
                yield population, _State(population, v, bias, counts, _channels_last(payload, shape)[:, None])
                continue
            v = np.tile(_spread(population.v_init, shape, self.dtype), (n, 1))
            bias = _spread(population.bias, shape, self.dtype)
            if population.name in currents:
                bias = _channels_last(currents[population.name], shape)
            yield population, _State(population, v, bias, counts, self._constant(population, payload))

    def _constant(self, population: Population, payload: Array) -> Array | None:
        """Sums that payloads give, the same at each step: (N, 1, neurons)."""
        total: Array | None = None
        if self.network.input.spiking:
            return None
        for connection in self.network.incoming(population.name):
            if connection.source == self.network.input.name and not connection.on_host:
                x = torch.from_numpy(_channels_last(payload, self.network.input.shape).astype(np.float32)).to(self.device)
                y = self.synapses[connection](x).cpu().numpy()[:, None]
                total = y if total is None else total + y
        return total

    def _currents(self, state: _State, spikes: dict[str, Array], steps: int) -> Array:
        """Sums of weight x spike for one block: (N, steps or 1, neurons)."""
        total = state.constant
        for connection in self.network.incoming(state.population.name):
            if connection.source not in spikes:
                continue
            n = len(state.v)
            s = torch.from_numpy(spikes[connection.source].reshape(n * steps, -1)).to(self.device)
            y = self.synapses[connection](s).cpu().numpy().reshape(n, steps, -1)
            total = y if total is None else total + y
        return total if total is not None else np.zeros((len(state.v), 1, state.v.shape[1]), np.float32)

    def _fire(self, state: _State, currents: Array, steps: int) -> Array:
        population, shift = state.population, self.network.shift
        if isinstance(population, Input):
            threshold, shift, to_zero = float(population.payload_max or 1.0), 0, False
        else:
            assert isinstance(population, IF)  # readouts are handled by the caller
            threshold, to_zero = population.vth * 2**shift, population.reset == "zero"
        return neurons.integrate_fire(
            currents, state.bias, state.v, threshold=threshold, shift=shift, to_zero=to_zero, steps=steps, counts=state.counts
        )


@contextmanager
def _threads(device: torch.device) -> Iterator[Callable[[Callable[[Array], _Part], list[Array]], Iterator[_Part]]]:
    """A map over chunks, in order, with one single-threaded worker per core; on an accelerator, one chunk at a time."""
    workers = torch.get_num_threads() if device.type == "cpu" else 1
    if workers == 1:
        yield map
        return
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(workers)


def _spread(values: Array, shape: Shape, dtype: type) -> Array:
    """A broadcastable per-neuron array as (1, neurons) in (H, W, C) order."""
    return _channels_last(np.broadcast_to(np.asarray(values, dtype), shape)[None], shape)


def _channels_last(x: Array, shape: Shape) -> Array:
    """(N, \\*shape) as (N, neurons), images in (H, W, C) order."""
    if len(shape) == 3:
        x = x.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x.reshape(len(x), -1))


def _channels_first(x: Array, shape: Shape) -> Array:
    """(..., neurons), images in (H, W, C) order, as (..., \\*shape)."""
    if len(shape) != 3:
        return x.reshape(*x.shape[:-1], *shape)
    c, h, w = shape
    return np.ascontiguousarray(np.moveaxis(x.reshape(*x.shape[:-1], h, w, c), -1, -3))
