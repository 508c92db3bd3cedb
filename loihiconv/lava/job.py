"""The folder in which the caller and the Lava worker meet: what is in it, and how recordings are read back.

Numbers in files are int32, little-endian, samples first and channels first. Populations are counted in the network's
order. Records grow by one sample at a time, so a reader sees every finished sample while the run goes on or after it
was cut off. Spikes take N T neurons / 8 bytes, potentials over time 4 N T classes; run fewer samples at a time where that is
too much.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihiconv.core.linear import Array
from loihiconv.core.network import Network, Population
from loihiconv.core.temporary import SCRATCH, remove_temporary

RESERVE = 1 << 16


@dataclass(frozen=True)
class Settings:
    """What a job asks for, besides its network and its samples.

    Parameters
    ----------
    samples : int
    record_spikes, record_potentials : bool
        Write every spike, and the readout's potentials after each step.
    stock_models : bool
        Run Intel's models of ``Conv`` and ``Dense`` instead of the faster ones of this project.
    record_counts : bool
        Count spikes; only the chip's graph can do without.
    first : int
        Index of the first sample in the run that these are part of: random spikes depend on it.
    """

    samples: int
    record_spikes: bool = False
    record_potentials: bool = False
    stock_models: bool = False
    record_counts: bool = True
    first: int = 0


@dataclass(frozen=True)
class Job:
    """Paths within a job's folder."""

    folder: Path

    @property
    def network(self) -> Path:
        """The saved network."""
        return self.folder / "network.lnet"

    def payload(self, population: int) -> Path:
        """Payloads (N, \\*shape) of an input, where it sends any."""
        return self.folder / f"payload-{population}.npy"

    @property
    def chip(self) -> Path:
        """Settings of the chip's graph, where that is what runs; see `loihiconv.lava.chip.settings`."""
        return self.folder / "chip.json"

    @property
    def profile(self) -> Path:
        """What a board's profiler measured."""
        return self.folder / "profile.json"

    @property
    def log(self) -> Path:
        """Whatever the worker prints."""
        return self.folder / "worker.log"

    @property
    def error(self) -> Path:
        """Traceback of the first process that failed."""
        return self.folder / "error.txt"

    @property
    def reserve(self) -> Path:
        """Room on the disk, `RESERVE` bytes, for what is said when the disk is full."""
        return self.folder / "reserve"

    @property
    def version(self) -> Path:
        """Which lava-nc runs it."""
        return self.folder / "lava-nc.txt"

    @property
    def scratch(self) -> Path:
        """A link to the folder that Lava's processes have for themselves."""
        return self.folder / SCRATCH

    @property
    def potentials(self) -> Path:
        """Readout potentials after each sample's last step."""
        return self.folder / "potentials.i32"

    @property
    def repeated_potentials(self) -> Path:
        """The same of one sample that is run again and again, each time."""
        return self.folder / "repeated_potentials.i32"

    @property
    def potentials_over_time(self) -> Path:
        """Readout potentials after every step."""
        return self.folder / "potentials_over_time.i32"

    def biases(self, population: int) -> Path:
        """Per-sample biases (N, \\*shape) of a population, where the host loads them."""
        return self.folder / f"biases-{population}.npy"

    def counts(self, population: int) -> Path:
        """Spikes per neuron of each sample; where they are graded the sums of their payloads follow, sample by sample."""
        return self.folder / f"counts-{population}.i32"

    def spikes(self, population: int) -> Path:
        """Every spike, packed into bits; one byte for each where they are graded."""
        return self.folder / f"spikes-{population}.bits"

    def remove(self) -> None:
        """Remove the folder, and what Lava's processes had for themselves."""
        remove_temporary(self.folder)

    def write_settings(self, settings: Settings) -> None:
        """Write ``job.json``."""
        (self.folder / "job.json").write_text(json.dumps(asdict(settings)))

    def read_settings(self) -> Settings:
        """Read ``job.json``."""
        return Settings(**json.loads((self.folder / "job.json").read_text()))

    def write_status(self, state: str, **details: Any) -> None:
        """Set ``status.json`` atomically: state "starting", "running" (the first step is done), "done" or "failed"."""
        temporary = self.folder / f"status-{os.getpid()}.tmp"
        temporary.write_text(json.dumps({"state": state, **details}))
        temporary.replace(self.folder / "status.json")

    def read_status(self) -> dict[str, Any]:
        """``status.json``, or an empty one."""
        try:
            return dict(json.loads((self.folder / "status.json").read_text()))
        except FileNotFoundError:
            return {}


def spiking_indices(network: Network) -> list[int]:
    """Populations that send spikes, by their place in the network."""
    return [i for i, population in enumerate(network.populations) if population.spiking]


def finished_samples(job: Job, network: Network, *, counts: bool = True) -> int:
    """Samples that every population has written; without ``counts``, that the readout has."""
    files = [(job.potentials, prod(network.readout.shape))]
    if counts:
        files += [(job.counts(i), prod(_counts_shape(network.populations[i]))) for i in spiking_indices(network)]
    return min(_size(path) // (4 * neurons) for path, neurons in files)


@dataclass(frozen=True, eq=False)
class Records:
    """Records of the first ``len(potentials)`` samples; see `loihiconv.core.network.Recording`."""

    potentials: Array
    spike_counts: dict[str, Array]
    payload_sums: dict[str, Array]
    spikes: dict[str, Array]
    potentials_over_time: Array | None


def read_records(job: Job, network: Network, settings: Settings) -> Records:
    """All samples that every population has written, finished run or not."""
    n, steps = finished_samples(job, network, counts=settings.record_counts), network.timesteps
    counts: dict[str, Array] = {}
    payloads: dict[str, Array] = {}
    spikes: dict[str, Array] = {}
    for i in spiking_indices(network) if settings.record_counts else ():
        population = network.populations[i]
        rows = _read(job.counts(i), (n, *_counts_shape(population)))
        counts[population.name] = rows[:, 0]
        if population.graded:
            payloads[population.name] = rows[:, 1]
        if settings.record_spikes:
            if population.graded:
                spikes[population.name] = _read(job.spikes(i), (n, steps, *population.shape), population.message_type)
                continue
            neurons = prod(population.shape)
            bits = _read(job.spikes(i), (n, steps, -(-neurons // 8)), np.uint8)
            unpacked = np.unpackbits(bits, axis=2, count=neurons).view(np.bool_)
            spikes[population.name] = unpacked.reshape(n, steps, *population.shape)
    shape = network.readout.shape
    course = _read(job.potentials_over_time, (n, steps, *shape)) if settings.record_potentials else None
    return Records(_read(job.potentials, (n, *shape)), counts, payloads, spikes, course)


def _counts_shape(population: Population) -> tuple[int, ...]:
    """Of one sample's counts in their file."""
    return (2 if population.graded else 1, *population.shape)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _read(path: Path, shape: tuple[int, ...], dtype: Any = "<i4") -> NDArray[Any]:
    if not prod(shape):
        return np.zeros(shape, dtype)
    return np.fromfile(path, dtype, count=prod(shape)).reshape(shape)
