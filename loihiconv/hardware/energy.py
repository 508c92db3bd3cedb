"""Energy and time on Loihi 1: an estimate from counts, before the chip has been near it.

Counts come from a real run of the emulator (`Recording.spike_counts`) and from the placement. Per sample::

    energy = synaptic operations x 23.6 pJ + compartment updates x 52 to 81 pJ (inactive to active)
             + spike messages x 1.7 pJ + hops x 3.0 pJ (east-west) or 4.0 pJ (north-south)
    time   = steps x (slowest core: operations x 3.5 ns + compartments x 5.3 to 8.4 ns; and a barrier of 113 to 465 ns)

Figures: Davies et al. 2018, "Loihi", IEEE Micro 38(1), table 2, from pre-silicon SDF and SPICE simulations at 0.75 V. It gives the energy
of a synaptic operation as a minimum and its time as a maximum. The table itself was not at hand: energies and times were read in
secondary sources that quote it, both in ``sim.h`` of SANA-FE (github.com/SLAM-Lab/SANA-FE). Later versions of SANA-FE have 4.2 pJ for a
hop north-south and barriers of 0.3 to 1.8 us, so that a step of few operations may take several times as long as estimated here. Not in
the table, and so not in the estimate: static power, the embedded x86 cores, input and output, links between chips. A measured board takes
many times as much, as the measurement beside it shows where the network is one that was measured.

For Loihi 2 no such figure is published. It gets counts only: a number made of another chip's energies would mean nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from loihiconv.core.errors import InvalidData
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.core.recording import Recording
from loihiconv.hardware.placement import Placement
from loihiconv.hardware.places import Geometry
from loihiconv.hardware.region import Region
from loihiconv.hardware.synapses import Synapses, geometry

SYNAPTIC_OPERATION_PJ = 23.6
UPDATE_PJ = (52.0, 81.0)
"""Inactive and active; "active" is not defined in the table, so both ends are given."""
MESSAGE_PJ = 1.7
HOP_PJ = (3.0, 4.0)
"""East-west, north-south."""
SYNAPTIC_OPERATION_NS = 3.5
UPDATE_NS = (5.3, 8.4)
BARRIER_NS = (113.0, 465.0)
"""One tile to the whole mesh of 32."""
CORES_PER_TILE = 4
TILES_PER_ROW = 8
"""Assumed, like the order in which cores are numbered: the mesh is published, the numbering is not."""
Range = tuple[float, float]


@dataclass(frozen=True)
class Measurement:
    """What others measured on a board."""

    network: str
    cores: int
    timesteps: int
    seconds: float
    joules: float
    source: str


NXTF_MNIST = Measurement("an MNIST CNN of this size", 14, 100, 6.65e-3, 0.66e-3, 'Rueckauer et al. 2021, "NxTF" (arXiv:2101.04261)')
MEASURED: dict[tuple[Geometry, ...], Measurement] = {((16, 12, 12), (32, 10, 10), (64, 4, 4), (10, 1, 1)): NXTF_MNIST}
"""By the shapes of the populations."""


@dataclass(frozen=True)
class Counts:
    """Means per sample.

    Attributes
    ----------
    synaptic_operations : float
    updates : float
        Compartments in use x steps.
    spikes : float
    messages : float
        Spikes x slices that each is sent to.
    hops_east_west, hops_north_south : float
        Between tiles of one chip.
    chip_crossings : float
        Messages that leave a chip.
    busiest_core : float
        Synaptic operations per step of the core that has the most.
    """

    synaptic_operations: float
    updates: float
    spikes: float
    messages: float
    hops_east_west: float
    hops_north_south: float
    chip_crossings: float
    busiest_core: float


@dataclass(frozen=True)
class EnergyEstimate:
    """An estimate, never a measurement.

    Attributes
    ----------
    label : str
        What kind of number this is; print it with the numbers.
    counts : Counts
    joules, seconds : (low, high) or None
        Per sample; None where no figures are published.
    parts : {name: (low, high)}
        Joules by cause.
    measurement : Measurement or None
        Of the same network on a board, where there is one.
    """

    label: str
    counts: Counts
    timesteps: int
    joules: Range | None = None
    seconds: Range | None = None
    parts: dict[str, Range] | None = None
    measurement: Measurement | None = None

    def to_json(self) -> dict[str, Any]:
        """The estimate as JSON values."""
        measurement = None if self.measurement is None else vars(self.measurement)
        return {**vars(self), "counts": vars(self.counts), "measurement": measurement}


def estimate(network: Network, recording: Recording, placement: Placement) -> EnergyEstimate:
    """Estimate what a sample costs on the chip.

    Parameters
    ----------
    network : Network
    recording : Recording
        Of the same network, with spike counts, on samples that are typical.
    placement : Placement
        Of the same network.

    Raises
    ------
    InvalidData
        If the recording holds no spike counts.
    """
    spiking = [p.name for p in network.populations if p.spiking]
    if missing := [name for name in spiking if name not in recording.spike_counts]:
        raise InvalidData("the recording holds no spike counts", where=missing[0], remedy="run with counts=True")
    spikes = {n: np.asarray(recording.spike_counts[n]).mean(axis=0, dtype=np.float64).reshape(geometry(network, n)) for n in spiking}
    traffic = _traffic(network, placement, spikes)
    operations = _operations(network, placement, spikes)
    steps = recording.timesteps
    counts = Counts(
        recording.synaptic_operations,
        float(sum(d.compartments for d in placement.usage.values()) * steps),
        float(sum(s.sum() for s in spikes.values())),
        *traffic,
        max(operations.values(), default=0.0) / steps,
    )
    if placement.board.generation != 1:
        return EnergyEstimate("counts only: no energy or time per operation is published for Loihi 2", counts, steps)
    parts = {
        "synaptic operations": _both(counts.synaptic_operations * SYNAPTIC_OPERATION_PJ),
        "neuron updates": (counts.updates * UPDATE_PJ[0], counts.updates * UPDATE_PJ[1]),
        "spike messages": _both(counts.messages * MESSAGE_PJ),
        "hops": _both(counts.hops_east_west * HOP_PJ[0] + counts.hops_north_south * HOP_PJ[1]),
    }
    parts = {name: (low * 1e-12, high * 1e-12) for name, (low, high) in parts.items()}
    return EnergyEstimate(
        "estimate from pre-silicon figures (Davies et al. 2018): neuron cores only, not measured",
        counts,
        steps,
        (sum(low for low, _ in parts.values()), sum(high for _, high in parts.values())),
        (_step_time(placement, operations, steps, 0) * steps, _step_time(placement, operations, steps, 1) * steps),
        parts,
        MEASURED.get(tuple(layer.shape for layer in placement.layers)),
    )


def _both(value: float) -> Range:
    return value, value


def _step_time(placement: Placement, operations: dict[int, float], steps: int, end: int) -> float:
    """Seconds per step: the slowest core, then the barrier; ``end`` 0 is the low end of the figures, 1 the high one."""
    slowest = max(
        operations.get(core, 0.0) / steps * SYNAPTIC_OPERATION_NS + demand.compartments * UPDATE_NS[end]
        for core, demand in placement.usage.items()
    )
    return (slowest + BARRIER_NS[end]) * 1e-9


def _operations(network: Network, placement: Placement, spikes: dict[str, Array]) -> dict[int, float]:
    """Synaptic operations per sample and core: spikes that arrive at synapses with a weight that is not zero."""
    operations: dict[int, float] = defaultdict(float)
    for connection in network.connections:
        if connection.on_host or connection.source not in spikes:
            continue
        indicator = connection.map.with_weight((connection.map.weight != 0).astype(np.float64))
        shape = network[connection.source].shape
        arrivals = indicator.apply(spikes[connection.source].reshape(1, *shape)).reshape(geometry(network, connection.target))
        for s in placement[connection.target].slices:
            operations[s.core] += float(_box(arrivals, s.region).sum())
    return operations


def _traffic(network: Network, placement: Placement, spikes: dict[str, Array]) -> tuple[float, float, float, float]:
    """Messages, hops east-west and north-south, and chip crossings, per sample."""
    per_chip = placement.board.cores_per_chip.value
    messages = east_west = north_south = crossings = 0.0
    held = {layer.name: layer.slices for layer in placement.layers}
    for connection in network.connections:
        if connection.on_host or connection.source not in spikes:
            continue
        synapses = Synapses(network, connection, placement.board)
        for target in held[connection.target]:
            seen = spikes[connection.source] * synapses.seen(target.region)
            if connection.source not in held:
                messages += float(seen.sum())  # random spikes that the host sends: their way onto the chip is not known
            for source in held.get(connection.source, ()):
                sent = float(_box(seen, source.region).sum())
                messages += sent
                if source.core // per_chip != target.core // per_chip:
                    crossings += sent
                else:
                    dx, dy = distance(source.core % per_chip, target.core % per_chip)
                    east_west, north_south = east_west + sent * dx, north_south + sent * dy
    return messages, east_west, north_south, crossings


def distance(a: int, b: int) -> tuple[int, int]:
    """Hops (east-west, north-south) between the tiles of two cores of a chip."""
    (ya, xa), (yb, xb) = divmod(a // CORES_PER_TILE, TILES_PER_ROW), divmod(b // CORES_PER_TILE, TILES_PER_ROW)
    return abs(xa - xb), abs(ya - yb)


def _box(values: Array, region: Region) -> Array:
    (c0, c1), (r0, r1), (w0, w1) = region.channels, region.rows, region.columns
    return values[c0:c1, r0:r1, w0:w1]
