"""A sample on a Loihi 1, simulated event by event with SANA-FE, the field's simulator of spiking chips, where it is installed.

SANA-FE (Boyle et al. 2025, doi:10.1109/TCAD.2025.3537971; ``pip install sanafe``) gets the network neuron by neuron and synapse by
synapse, on the cores of a placement: its ``leaky_integrate_fire`` without leak is our neuron, with v in units of 2^6, and its own
``loihi.yaml`` has the figures of the chip. It computes the spikes by itself, with queues of messages on the way, and its counts are held
against the emulator's. What it does not know of our arithmetic are registers that saturate and sums that negative exponents round.

- *Time.* A population begins at its window's first step and is silent after its last, so a sample takes T + L steps, L the depth of the
  network, and no more spikes than in the emulator.
- *Compartments.* A neuron that resets by subtraction takes two on Loihi 1; the second is a neuron that is updated and does nothing.
- *Inputs.* Currents of the host are biases, and inputs of rate coding are neurons. Random spikes, which the host sends, are refused.

Its authors hold it to be within 12 % of a chip's energy and 25 % of its time, on average over their networks, neuron cores only.
"""

from __future__ import annotations

import contextlib
import io
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from loihiconv.core import numbers as n
from loihiconv.core.errors import BackendUnavailable, LimitExceeded, UnsupportedLayer
from loihiconv.core.input_coding import host_currents, input_payloads
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, sparse
from loihiconv.core.network import STATE_SHIFT, Connection, Input, Integrator, Network, Population
from loihiconv.hardware.demand import compartments_per_neuron
from loihiconv.hardware.placement import Placement, Slice
from loihiconv.hardware.synapses import geometry

INSTALL = "pip install sanafe"
ENERGY_ERROR, TIME_ERROR = 0.12, 0.25
"""How far from a chip its authors found it, as shares."""
MOST_SYNAPSES = 2_000_000
"""That it is given: it takes some 3 kB for each."""
SOMA, DENDRITES, DELAYS = "loihi_lif", "loihi_dendrites", "loihi_dendrites_delay"
"""What ``loihi.yaml`` calls the parts of a core."""
NEVER = 1e12
"""A threshold."""
UNIT = float(1 << STATE_SHIFT)
"""Of its potentials, in units of v."""


@dataclass(frozen=True)
class Simulated:
    """What SANA-FE says of samples, means of all.

    Attributes
    ----------
    steps : int
        Time steps that one takes: T + L.
    joules, seconds : float
    parts : {name: J}
        What it says by cause: synapses, neurons, messages.
    spikes, synaptic_operations, messages : float
        As it counts them.
    """

    steps: int
    joules: float
    seconds: float
    parts: Mapping[str, float]
    spikes: float
    synaptic_operations: float
    messages: float


def simulate_chip(network: Network, x: Array, placement: Placement) -> Simulated:
    """Run samples on SANA-FE's Loihi.

    Parameters
    ----------
    network : Network
        Fixed point.
    x : array (N, \\*input shape)
        As `loihiconv.core.input_coding.check_samples` gives them.
    placement : Placement
        Of the same network, on a board with Loihi 1.

    Raises
    ------
    BackendUnavailable
        If SANA-FE is not installed.
    LimitExceeded
        If it has no figures for the chip, or the network takes more than the one chip that it has.
    UnsupportedLayer
        For neurons that it does not have.
    """
    _check(network, placement)
    try:
        sanafe: Any = import_module("sanafe")
    except ImportError as error:
        raise BackendUnavailable(f"SANA-FE cannot be used: {error}", where="sanafe", remedy=INSTALL) from error
    chip = _Chip(sanafe, network, placement)
    payload = input_payloads(network, x)
    currents = host_currents(network, payload)
    total: Counter[str] = Counter()
    for sample in range(len(x)):
        total.update(chip.run(sample, payload, currents))
    mean = {name: value / len(x) for name, value in total.items()}
    parts = {name: mean.pop(name) for name in ("synapses", "neurons", "spike messages")}
    return Simulated(steps=chip.steps, parts=parts, **mean)


def _check(network: Network, placement: Placement) -> None:
    board = placement.board
    if board.generation != 1:
        raise LimitExceeded("SANA-FE has no figures for Loihi 2", where="sanafe", limit="a board with Loihi 1 expected")
    if not network.fixed_point:
        raise LimitExceeded(
            "this network is float", where="sanafe", limit="a network of fixed point expected", remedy="convert it for the board"
        )
    if unplaced := placement.unplaced:
        raise LimitExceeded("fits no core", where=unplaced[0], limit=board.title, remedy="see 'loihiconv place'")
    if placement.chips > 1:
        raise LimitExceeded(
            f"the network takes {placement.cores} cores on {placement.chips} chips", where="sanafe", limit="SANA-FE's Loihi is one chip"
        )
    for population in network.populations:
        if isinstance(population, Input):
            if population.name not in {layer.name for layer in placement.layers} and not all(
                c.on_host for c in network.outgoing(population.name)
            ):
                raise UnsupportedLayer(
                    "SANA-FE takes no spikes or payloads from a host", where=population.name, remedy='convert with input_coding="rate"'
                )
        elif not isinstance(population, Integrator) or population.graded or population.silent_steps:
            raise UnsupportedLayer(
                "SANA-FE's Loihi has no such neurons", where=population.name, limit="binary spikes in every step expected"
            )
    synapses = sum(c.map.weight.size * _shared(network, c) for c in network.connections if not c.on_host)
    if synapses > MOST_SYNAPSES:
        raise LimitExceeded(
            f"some {n.count(synapses)} synapses", where="sanafe", limit=f"at most {n.count(MOST_SYNAPSES)}, each of which it holds"
        )


def _shared(network: Network, connection: Connection) -> int:
    """How many synapses have the same weight: pixels of a convolution's output."""
    if not isinstance(connection.map, Conv):
        return 1
    _, height, width = geometry(network, connection.target)
    return height * width


class _Chip:
    """SANA-FE's chip with the network on it."""

    def __init__(self, sanafe: Any, network: Network, placement: Placement) -> None:
        self.network, self.board = network, placement.board
        architecture, built = sanafe.load_loihi(), sanafe.Network()
        cores = list(architecture.cores())
        self.members = {layer.name: [(cores[s.core], _neurons(network, s)) for s in layer.slices] for layer in placement.layers}
        self.groups = {name: self._group(built, network[name]) for name in self.members}
        for connection in network.connections:
            if not connection.on_host:
                self._connect(connection)
        self.chip = sanafe.SpikingChip(architecture)
        self.chip.load(built)
        self.begins = {name: network.begins[name] - min(network.begins[name] for name in self.members) for name in self.members}
        self.steps = max(self.begins.values()) + network.timesteps

    def _group(self, built: Any, population: Population) -> Any:
        delayed = any(self.network.delay(c) for c in self.network.incoming(population.name))
        hardware = {"soma_hw_name": SOMA, "default_dendrite_hw_name": DELAYS if delayed else DENDRITES}
        constants = {"threshold": _threshold(population), "reset_mode": "hard" if population.resets == "zero" else "soft"}
        group = built.create_neuron_group(population.name, population.size, model_attributes=constants, **hardware)
        more = compartments_per_neuron(population, self.board) - 1
        idle = built.create_neuron_group(
            f"{population.name}: more compartments",
            population.size * more,
            model_attributes={"threshold": NEVER, "force_update": True},
            **hardware,
        )
        for core, neurons in self.members[population.name]:
            for neuron in neurons:
                group[neuron].map_to_core(core)
                for k in range(more):
                    idle[neuron * more + k].map_to_core(core)
        return group

    def _connect(self, connection: Connection) -> None:
        source, target = self.groups[connection.source], self.groups[connection.target]
        for neuron in range(self.network[connection.target].size):  # of the synapses that are made next
            target[neuron].set_attributes(default_synapse_hw_name=_synapses(connection.map))
        written = sparse(connection.map, self.network[connection.source].shape)
        there = written.weight != 0
        weights = (written.weight[there] * 2.0**connection.weight_exp).tolist()
        attributes: dict[str, list[Any]] = {"weight": weights}
        if delay := self.network.delay(connection):
            attributes["delay"] = [delay] * len(weights)
        source.connect_neurons_sparse(
            target, attributes, list(zip(written.columns[there].tolist(), written.rows[there].tolist(), strict=True))
        )

    def run(self, sample: int, payload: Mapping[str, Array], currents: Mapping[str, Array]) -> Counter[str]:
        """One sample: energy by cause and in all (J), time (s), and counts."""
        self.chip.reset()
        begin_at: dict[int, list[tuple[str, Any, Any]]] = defaultdict(list)
        for name, begin in self.begins.items():
            begin_at[begin].append((name, *self._start(self.network[name], sample, payload, currents)))
            begin_at[begin + self.network.timesteps].append((name, 0.0, 0.0))
        found: Counter[str] = Counter()
        moments = sorted({*begin_at, self.steps})
        for now, then in pairwise(moments):
            for name, v, bias in begin_at[now]:
                self._set(name, v, bias)
            with contextlib.redirect_stdout(io.StringIO()):  # it says how far it is
                result = self.chip.sim(then - now)
            energy = result["energy"]
            found.update(
                {
                    "joules": energy["total"],
                    "synapses": energy["synapse"] + energy["dendrite"],
                    "neurons": energy["soma"],
                    "spike messages": energy["network"],
                    "seconds": result["sim_time"],
                    "spikes": result["neurons_fired"],
                    "synaptic_operations": result["spikes"],
                    "messages": result["packets_sent"],
                }
            )
        return found

    def _start(
        self, population: Population, sample: int, payload: Mapping[str, Array], currents: Mapping[str, Array]
    ) -> tuple[Array, Array]:
        """Potential and bias at a window's first step, in SANA-FE's units."""
        start = np.broadcast_to(population.start(fixed_point=True), population.shape).ravel()
        if isinstance(population, Input):
            return start, payload[population.name][sample].ravel()
        assert isinstance(population, Integrator)
        bias = currents[population.name][sample] if population.name in currents else np.broadcast_to(population.bias, population.shape)
        return start / UNIT, bias.ravel() / UNIT

    def _set(self, name: str, v: Any, bias: Any) -> None:
        size = self.network[name].size
        neurons = self.chip.mapped_neuron_groups[name]
        for neuron, (potential, added) in enumerate(
            zip(np.broadcast_to(v, size).tolist(), np.broadcast_to(bias, size).tolist(), strict=True)
        ):
            neurons[neuron].set_attributes(model_attributes={"potential": float(potential), "bias": float(added)})


def _neurons(network: Network, piece: Slice) -> list[int]:
    """Places of a slice's neurons in its population."""
    shape = geometry(network, piece.population)
    box = tuple(slice(*interval) for interval in (piece.region.channels, piece.region.rows, piece.region.columns))
    found: list[int] = np.arange(prod(shape)).reshape(shape)[box].ravel().tolist()
    return found


def _threshold(population: Population) -> float:
    """In the units that v has there: of synaptic sums, or of an input's payloads."""
    if isinstance(population, Input):
        return population.spike_charge(STATE_SHIFT)
    return population.spike_charge(STATE_SHIFT) / UNIT if population.spiking else NEVER


def _synapses(linear: LinearMap) -> str:
    return (
        "loihi_conv_synapse" if isinstance(linear, Conv) else "loihi_dense_synapse" if isinstance(linear, Dense) else "loihi_sparse_synapse"
    )
