"""The host's ends of a chip's process graph: where samples come from, where spikes go, and how a readout is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from lava.magma.core.process.ports.ports import OutPort

from loihiconv.core.linear import Array, Shape
from loihiconv.core.network import Network, Population
from loihiconv.lava.chip.cores import OnChip
from loihiconv.lava.chip.measuring import FRAMES
from loihiconv.lava.chip.processes.process import HostSource, PotentialReader, PotentialSink, SpikeSink
from loihiconv.lava.chip.realizations import AT_ONCE
from loihiconv.lava.chip.settings import ChipSettings
from loihiconv.lava.files import Samples
from loihiconv.lava.job import Job, Settings
from loihiconv.lava.messages import Messages, frames
from loihiconv.lava.window import Reading, Window, once_a_sample

ADAPTER_BITS = {"conv": 16, "dense": 24}
"""Width of payloads that come from the host, at both ends of their adapter; see `loihiconv.lava.chip.loihi`."""


class Adapters(Protocol):
    """What is between host and chip."""

    def attach(self, port: OutPort, kind: str, bits: int) -> OutPort:
        """Put an adapter behind a port: from the host into "dense" or "conv" synapses, or from neurons to the host ("sink")."""

    def read(self, var: Any, reading: Reading) -> OutPort | None:
        """A port that sends a variable of a process on the chip when it is read, or None where the host can read it by itself."""

    def replay(self, frames: Array) -> OutPort | None:
        """A port that sends frames (\\*shape, steps), one per step, from the chip itself, or None where they come from the host."""


class NoAdapters:
    """On the CPU host and chip are one."""

    def attach(self, port: OutPort, kind: str, bits: int) -> OutPort:
        return port

    def read(self, var: Any, reading: Reading) -> OutPort | None:
        return None

    def replay(self, frames: Array) -> OutPort | None:
        return None


@dataclass
class HostEnds:
    """Makes the host's processes, and remembers the adapters that it puts between them and the chip.

    Parameters
    ----------
    network : Network
        As `loihiconv.backends.realize.realize` gives it.
    job : Job
        Folder with payload and biases, into which the host's processes write.
    settings : Settings
    chip : ChipSettings
    adapters : Adapters
    on_chip : OnChip
        What belongs on a chip; adapters are added to it.
    """

    network: Network
    job: Job
    settings: Settings
    chip: ChipSettings
    adapters: Adapters
    on_chip: OnChip = field(default_factory=OnChip)

    def source(self, shape: Shape, source: str, target: str, *, delay: int = 0, record: bool) -> OutPort:
        """Where a connection from an input begins; a skip's samples set out ``delay`` steps later instead of waiting on the way."""
        index = [p.name for p in self.network.inputs].index(source)
        population = self.network.inputs[index]
        profile = self.chip.access.profile
        if profile == "throughput" and (replay := self.adapters.replay(self._frames(index, shape, delay))) is not None:
            self.on_chip.adapters[f"replay of {source} for {target}"] = replay.process
            return replay
        record = record and population.spiking and profile is None
        port: OutPort = HostSource(
            shape=shape,
            window=self._window(delay),
            population=population,
            payload=self.job.payload(index),
            counts=self.job.counts(index) if record else None,
            spikes=self.job.spikes(index) if record and self.settings.record_spikes else None,
            name=f"{source} of {target}",
        ).s_out
        return port

    def _frames(self, index: int, shape: Shape, delay: int) -> Array:
        """What an input sends: of one sample's payloads a few frames, which are all the same, else one for each step of the run."""
        population, samples = self.network.inputs[index], Samples(self.job.payload(index), shape)
        if len(samples) == 1 and not population.spiking:
            return np.repeat(samples[0][..., None], FRAMES, axis=-1)
        return frames(Messages(population, samples, self.settings.first), self.network.timesteps, self.settings.samples, delay)

    def sink(self, population: Population, port: OutPort) -> None:
        """Bring a population's spikes to the host."""
        index = self.network.populations.index(population)
        sink = SpikeSink(
            shape=port.shape,
            window=self._window(self.network.begins[population.name] + population.silent_steps),
            counts=self.job.counts(index),
            spikes=self.job.spikes(index) if self.settings.record_spikes else None,
            name=f"spikes of {population.name}",
        )
        self.adapted(port, "sink", 0, f"adapter behind {population.name}").connect(sink.a_in)

    def reader(self, process: Any) -> int:
        """Read the potentials of the readout's neurons while the graph runs on; where throughput is measured they are read at its end.

        Returns
        -------
        int
            Steps that the last potential takes to the host.
        """
        readout, access = self.network.readout, self.chip.access
        if access.profile == "throughput":
            return 0
        begin = self.network.begins[readout.name]
        reading = once_a_sample(self.network.timesteps, begin + access.read_late, self.settings.record_potentials)
        common: dict[str, Any] = {
            "shape": process.v.shape,
            "window": self._window(begin),
            "delay": readout.delay,
            "potentials": self.job.potentials if access.profile is None else self.job.repeated_potentials,
            "course": self.job.potentials_over_time if self.settings.record_potentials else None,
            "name": f"potentials of {readout.name}",
        }
        port = self.adapters.read(process.v, reading)
        if port is None:
            PotentialReader(**common).state.connect_var(process.v)
            return 0
        self.on_chip.adapters[f"adapter that reads {readout.name}"] = port.process
        port.connect(PotentialSink(reading=reading, late=access.read_late, **common).a_in)
        return access.read_late + reading.later

    def adapted(self, port: OutPort, kind: str, bits: int, name: str) -> OutPort:
        """A port behind its adapter, which is remembered, or the port itself where there is none."""
        attached = self.adapters.attach(port, kind, bits)
        if attached is not port:
            self.on_chip.adapters[name] = attached.process
        return attached

    def _window(self, depth: int) -> Window:
        gap = 0 if self.chip.realization in AT_ONCE else max(self.network.begins.values())
        return Window(self.network.timesteps, depth, self.settings.samples, gap=gap, first=self.settings.first)
