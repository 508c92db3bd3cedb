"""What a run records: arrays made once, filled chunk by chunk, channels first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

import numpy as np
import torch

from loihiconv.core.activity import activity
from loihiconv.core.classification import decide, decision_shape
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.linear import Array
from loihiconv.core.network import Integrator, Network, Recording
from loihiconv.core.saturation import Register, currents_saturate, found
from loihiconv.core.validation import driven_by_host
from loihiconv.simulator.layout import channels_first
from loihiconv.simulator.memory import available
from loihiconv.simulator.neurons import ABOVE, BELOW

RECORDS = ("spikes", "potentials", "residuals")
"""What can be recorded beside spike counts and final potentials."""


class Results:
    """Records of N samples; chunks write rows of their own, so that threads need no lock.

    Parameters
    ----------
    network : Network
    samples : int
    record : set of `RECORDS` and "counts"
    first : int
        Index of the first sample in the run that these are part of.

    Raises
    ------
    InvalidSetting
        If the records alone need more memory than there is.
    """

    def __init__(self, network: Network, samples: int, record: frozenset[str], *, first: int = 0) -> None:
        self.network, self.samples, self.first = network, samples, first
        readout, steps = network.readout, network.timesteps
        spiking = {p.name: p.shape for p in network.populations if p.spiking}
        graded = {name: shape for name, shape in spiking.items() if network[name].graded}
        driven = {p.name: p.shape for p in network.populations if p.has_potential}
        number = np.int32 if network.fixed_point else np.float32
        self.with_trace = "potentials" in record or readout.decision == "softmax"
        shapes: dict[tuple[str, str], tuple[tuple[int, ...], type[np.generic]]] = {("potentials", ""): ((samples, *readout.shape), number)}
        if "counts" in record:
            shapes |= {("counts", name): ((samples, *shape), np.int32) for name, shape in spiking.items()}
            shapes |= {("payloads", name): ((samples, *shape), np.int32) for name, shape in graded.items()}
        if "spikes" in record:
            shapes |= {("spikes", name): ((samples, steps, *shape), network[name].message_type) for name, shape in spiking.items()}
        if "residuals" in record:
            shapes |= {("residuals", name): ((samples, *shape), number) for name, shape in driven.items()}
        if "potentials" in record:
            shapes["trace", ""] = ((samples, steps, *readout.shape), number)
        size = sum(prod(shape) * np.dtype(kind).itemsize for shape, kind in shapes.values())
        if size > (free := available(torch.device("cpu"))):
            raise InvalidSetting(
                f"the records of {samples} samples take {size / 2**30:.1f} GiB",
                where="record",
                limit=f"{free / 2**30:.1f} GiB are free",
                remedy="counts=False, fewer records, or fewer samples at a time",
            )
        self.arrays: dict[tuple[str, str], Array] = {key: np.empty(shape, kind) for key, (shape, kind) in shapes.items()}
        self.saturated: dict[tuple[str, Register], Array] = {}
        if network.fixed_point:
            self.saturated = {key: np.zeros((2, samples), np.int32) for key in _watched(network)}
        self.predictions = np.empty((samples, *decision_shape(readout)), np.int64)
        self.output_spikes: Array | None = None
        if readout.decision == "softmax":
            self.output_spikes = np.empty((samples, prod(readout.shape)), np.int32)

    def write(self, kind: str, name: str, rows: slice, values: torch.Tensor | Array, steps: slice | None = None) -> None:
        """Store (N, [steps,] neurons) of a population, if this kind is recorded at all; "" is the readout."""
        if (kind, name) in self.arrays:
            shape = self.network[name].shape if name else self.network.readout.shape
            flat = values.cpu().numpy() if isinstance(values, torch.Tensor) else values
            target = self.arrays[kind, name]
            target[(rows,) if steps is None else (rows, steps)] = channels_first(flat, shape)

    def watch_currents(self, rows: slice, sums: Mapping[str, Array]) -> None:
        """Note where the host's sums (N, \\*shape) saturate."""
        for name, values in sums.items():
            self.saturated[name, "host currents"][:, rows] = currents_saturate(values)

    def watch_potentials(self, name: str, rows: slice, ends: torch.Tensor) -> None:
        """Note which neurons (N, neurons) of a population were marked at the ends of their registers."""
        register: Register = "potentials" if name == self.network.readout.name else "hidden potentials"
        if (counted := self.saturated.get((name, register))) is not None and ends.any():
            for end, mark in zip(counted, (ABOVE, BELOW), strict=True):
                end[rows] = (ends & mark.item()).ne(0).sum(dim=1).cpu().numpy()

    def finish(self, rows: slice, trace: list[Array]) -> None:
        """Decide for classes, once the potentials of these rows are there; ``trace`` holds blocks (N, steps, classes)."""
        readout = self.network.readout
        whole = np.concatenate(trace, axis=1).astype(self.arrays["potentials", ""].dtype) if trace else None
        course = None if whole is None else channels_first(whole, readout.shape)
        first, unit = self.first + rows.start, self.network.output_unit
        decided = decide(readout, self.arrays["potentials", ""][rows], course, first=first, unit=unit)
        self.predictions[rows] = decided.predictions
        if self.output_spikes is not None and decided.output_spikes is not None:
            self.output_spikes[rows] = decided.output_spikes
        if ("trace", "") in self.arrays:
            self.arrays["trace", ""][rows] = course

    def recording(self, totals: dict[str, Array], arrivals: Mapping[str, Array]) -> Recording:
        """The record of the whole run.

        Parameters
        ----------
        totals : {population: int64 array (neurons)}
            Spikes per neuron over all samples and steps, whatever their payloads, in the simulator's order.
        arrivals : {input: int64 array (\\*shape)}
            Samples in which each value of an input is not zero.
        """
        network = self.network
        spikes = {name: channels_first(total, network[name].shape) for name, total in totals.items()}
        return Recording(
            predictions=self.predictions,
            potentials=self.arrays["potentials", ""],
            spike_counts=self._all("counts"),
            payload_sums=self._all("payloads"),
            timesteps=network.timesteps,
            backend="emulator" if network.fixed_point else "float",
            spikes=self._all("spikes"),
            potentials_over_time=self.arrays.get(("trace", "")),
            residuals=self._all("residuals"),
            output_spikes=self.output_spikes,
            saturated=found(self.saturated, {p.name: p.shape for p in network.populations}),
            output_unit=network.output_unit,
            ending=network.readout.ending,
            parts=network.readout.parts,
            **vars(activity(network, spikes, arrivals, self.samples)),
        )

    def _all(self, kind: str) -> dict[str, Array]:
        return {name: array for (k, name), array in self.arrays.items() if k == kind}


def _watched(network: Network) -> Iterator[tuple[str, Register]]:
    """Registers of a fixed-point network that samples may bring to their ends."""
    for population in network.layers:
        if isinstance(population, Integrator):
            yield population.name, "hidden potentials" if population.spiking else "potentials"
            if driven_by_host(network, population.name):
                yield population.name, "host currents"
