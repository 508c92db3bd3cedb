"""What a network does on its cores, per sample: operations, updates, spikes and messages, of all cores and of each."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from loihiconv.core.errors import InvalidData
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.core.recording import Recording
from loihiconv.hardware.placement import Placement
from loihiconv.hardware.region import Region
from loihiconv.hardware.synapses import Synapses, geometry

CORES_PER_TILE = 4
TILES_PER_ROW = 8
"""Assumed, like the order in which cores are numbered: the mesh is published, the numbering is not."""


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
    fullest_core : int
        Compartments of the core that has the most.
    most_messages : float
        Messages per step that the core takes in and sends which has the most of them.
    """

    synaptic_operations: float
    updates: float
    spikes: float
    messages: float
    hops_east_west: float
    hops_north_south: float
    chip_crossings: float
    busiest_core: float
    fullest_core: int
    most_messages: float

    @property
    def loads(self) -> dict[str, float]:
        """What a step's time hangs on: the most of each that one core has."""
        return {"synaptic operations": self.busiest_core, "compartments": self.fullest_core, "messages": self.most_messages}


@dataclass
class CoreLoad:
    """One core, per sample: synaptic operations, spikes of its neurons, messages that it takes in and sends."""

    operations: float = 0.0
    spikes: float = 0.0
    messages_in: float = 0.0
    messages_out: float = 0.0


@dataclass
class _Traffic:
    messages: float = 0.0
    east_west: float = 0.0
    north_south: float = 0.0
    crossings: float = 0.0
    cores: dict[int, CoreLoad] = field(default_factory=lambda: defaultdict(CoreLoad))


def count(network: Network, recording: Recording, placement: Placement) -> tuple[Counts, dict[int, CoreLoad]]:
    """Counts of all cores together, and of each core that does anything.

    Raises
    ------
    InvalidData
        If the recording holds no spike counts.
    """
    spiking = [p.name for p in network.populations if p.spiking]
    if missing := [name for name in spiking if name not in recording.spike_counts]:
        raise InvalidData("the recording holds no spike counts", where=missing[0], remedy="run with counts=True")
    spikes = {n: np.asarray(recording.spike_counts[n]).mean(axis=0, dtype=np.float64).reshape(geometry(network, n)) for n in spiking}
    traffic = _Traffic()
    _send(network, placement, spikes, traffic)
    _operate(network, placement, spikes, traffic)
    steps = network.period
    counts = Counts(
        recording.synaptic_operations,
        float(sum(d.compartments for d in placement.usage.values()) * steps),
        float(sum(s.sum() for s in spikes.values())),
        traffic.messages,
        traffic.east_west,
        traffic.north_south,
        traffic.crossings,
        max((load.operations for load in traffic.cores.values()), default=0.0) / steps,
        max((d.compartments for d in placement.usage.values()), default=0),
        max((load.messages_in + load.messages_out for load in traffic.cores.values()), default=0.0) / steps,
    )
    return counts, dict(traffic.cores)


def _operate(network: Network, placement: Placement, spikes: dict[str, Array], traffic: _Traffic) -> None:
    """Synaptic operations, spikes that arrive at synapses with a weight that is not zero, and neurons' own spikes."""
    for connection in network.connections:
        if connection.on_host or connection.source not in spikes:
            continue
        indicator = connection.map.with_weight((connection.map.weight != 0).astype(np.float64))
        shape = network[connection.source].shape
        arrivals = indicator.apply(spikes[connection.source].reshape(1, *shape)).reshape(geometry(network, connection.target))
        for s in placement[connection.target].slices:
            traffic.cores[s.core].operations += float(_box(arrivals, s.region).sum())
    for s in placement.slices:
        if s.population in spikes:
            traffic.cores[s.core].spikes += float(_box(spikes[s.population], s.region).sum())


def _send(network: Network, placement: Placement, spikes: dict[str, Array], traffic: _Traffic) -> None:
    """Messages between cores, hops between tiles, and chip crossings."""
    per_chip = placement.board.cores_per_chip.value
    held = {layer.name: layer.slices for layer in placement.layers}
    for connection in network.connections:
        if connection.on_host or connection.source not in spikes:
            continue
        synapses = Synapses(network, connection, placement.board)
        for target in held[connection.target]:
            seen = spikes[connection.source] * synapses.seen(target.region)
            traffic.cores[target.core].messages_in += float(seen.sum())
            if connection.source not in held:
                traffic.messages += float(seen.sum())  # random spikes that the host sends: their way onto the chip is not known
            for source in held.get(connection.source, ()):
                sent = float(_box(seen, source.region).sum())
                traffic.messages += sent
                traffic.cores[source.core].messages_out += sent
                if source.core // per_chip != target.core // per_chip:
                    traffic.crossings += sent
                else:
                    dx, dy = distance(source.core % per_chip, target.core % per_chip)
                    traffic.east_west, traffic.north_south = traffic.east_west + sent * dx, traffic.north_south + sent * dy


def distance(a: int, b: int) -> tuple[int, int]:
    """Hops (east-west, north-south) between the tiles of two cores of a chip."""
    (ya, xa), (yb, xb) = divmod(a // CORES_PER_TILE, TILES_PER_ROW), divmod(b // CORES_PER_TILE, TILES_PER_ROW)
    return abs(xa - xb), abs(ya - yb)


def _box(values: Array, region: Region) -> Array:
    (c0, c1), (r0, r1), (w0, w1) = region.channels, region.rows, region.columns
    return values[c0:c1, r0:r1, w0:w1]
