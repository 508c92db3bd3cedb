"""Network -> the process graph of the chip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from lava.magma.core.process.ports.ports import OutPort
from lava.proc.atrlif.process import ATRLIF
from lava.proc.conv.process import Conv
from lava.proc.dense.process import Dense
from lava.proc.lif.process import LIF, LIFReset
from lava.proc.sparse.process import DelaySparse, Sparse

from loihiconv.core.errors import LimitExceeded
from loihiconv.core.linear import Array
from loihiconv.core.network import Connection, Integrating, Integrator, Network, assert_never
from loihiconv.core.validation import check_joined, check_start, check_weights, split_exactly
from loihiconv.lava.builder import check_stock_conv, join, lava_array, message_bits
from loihiconv.lava.chip.atrlif import DELTA_I, first_refractory
from loihiconv.lava.chip.cores import OnChip
from loihiconv.lava.chip.ends import ADAPTER_BITS, Adapters, HostEnds
from loihiconv.lava.chip.lif import DU, DV, READOUT_OFFSET, VTH_MAX
from loihiconv.lava.chip.processes.process import SeparatedIF, SoftResetIF
from loihiconv.lava.chip.realizations import AT_ONCE, neuron
from loihiconv.lava.chip.settings import ChipSettings
from loihiconv.lava.files import Samples
from loihiconv.lava.job import Job, Settings
from loihiconv.lava.layout import LavaConv, LavaDense, LavaMap, LavaSparse, all_synapses, lava_map, lava_views

MAX_DELAY = 62
"""Steps that a synapse can wait."""


@dataclass
class Neurons:
    """A population on the chip, and what its state is at the start of each sample.

    Parameters
    ----------
    process : LIF, LIFReset, ATRLIF or SoftResetIF
    depth : int
    state : {variable: array}
        To be set before each sample's window.
    biases : Samples or None
        Biases that the host loads for each sample, in units of v.
    """

    process: Any
    depth: int
    state: dict[str, Array]
    biases: Samples | None = None

    def begin(self, sample: int) -> None:
        """Set the state with which a sample starts; only while Lava is paused."""
        for name, values in self.state.items():
            getattr(self.process, name).set(values)
        if self.biases is not None:
            mantissa, exponent = split_exactly(self.biases[sample].astype(np.int64), self.process.name)
            self.process.bias_mant.set(mantissa)
            self.process.bias_exp.set(exponent)


@dataclass
class Graph:
    """Connected processes: ``neurons`` by population, those of the readout, the process by which all run, and what belongs on a chip.

    ``later`` are the steps that the last potential takes to the host.
    """

    neurons: dict[str, Neurons]
    readout: Any
    top: Any
    on_chip: OnChip
    later: int = 0


def build(network: Network, job: Job, settings: Settings, chip: ChipSettings, adapters: Adapters) -> Graph:
    """The graph of a realized network.

    Parameters
    ----------
    network : Network
        As `loihiconv.backends.realize.realize` gives it.
    job : Job
        Folder with payload and biases, into which the host's processes write.
    settings : Settings
    chip : ChipSettings
    adapters : Adapters
        Between host and chip; on the CPU `NoAdapters`.

    Raises
    ------
    LimitExceeded
        If Lava would change one of the integers, or a delay is too long.
    InvalidModel
        If a population is not joined to the readout, so that Lava would not run it.
    """
    return _Builder(network, job, settings, chip, adapters).graph()


class _Builder:
    def __init__(self, network: Network, job: Job, settings: Settings, chip: ChipSettings, adapters: Adapters) -> None:
        self.network, self.job, self.settings, self.chip = network, job, settings, chip
        self.views = lava_views(network)
        self.ends = HostEnds(network, job, settings, chip, adapters)
        self.on_chip = self.ends.on_chip

    def graph(self) -> Graph:
        network = self.network
        check_joined(network)
        neurons = {p.name: self._neurons(i, p) for i, p in enumerate(network.populations) if isinstance(p, Integrator)}
        self.on_chip.cores |= {f"neurons {name}": n.process for name, n in neurons.items()}
        recorded: set[str] = set()
        for number, connection in enumerate(network.connections):
            if connection.on_host:
                continue
            if network.is_input(connection.source):
                port = self.ends.source(
                    self.views[connection.source][::-1],
                    connection.source,
                    connection.target,
                    delay=network.delay(connection),
                    record=connection.source not in recorded,
                )
                recorded.add(connection.source)
            else:
                port = neurons[connection.source].process.s_out
            synapses = self._connect(connection, f"{number}:{connection.name}", port)
            self.on_chip.cores[f"connection {synapses.name}"] = synapses
            join(synapses.a_out, neurons[connection.target].process.a_in)
        if self.chip.sinks:
            for population in network.populations:
                if population.name in neurons and population.spiking:
                    self.ends.sink(population, neurons[population.name].process.s_out)
        readout = neurons[network.readout.name].process
        later = self.ends.reader(readout) if self.chip.realization in AT_ONCE else 0
        return Graph(neurons, readout, readout, self.on_chip, later)

    def _neurons(self, index: int, population: Integrating) -> Neurons:
        name, shape = population.name, self.views[population.name][::-1]
        path = self.job.biases(index)
        biases = Samples(path, shape) if path.exists() else None
        check_start(population, self.network.timesteps)
        at_once = self.chip.realization in AT_ONCE
        v = lava_array(population.v_init, population.shape, shape) - (0 if population.spiking or at_once else READOUT_OFFSET)
        # Where the host loads biases, the population's own is part of them, and not yet what a chip could hold.
        bias = np.zeros(shape, np.int64) if biases else lava_array(population.bias, population.shape, shape)
        state: dict[str, Array] = {"v": v}
        sends: dict[str, Any] = {}
        if self.network.silent_steps and population.spiking:
            silent = population.silent_steps
            if silent:  # the biases of all steps are there from the start
                state["v"], bias = v + self.network.timesteps * bias, np.zeros_like(bias)
            state["step"], sends = np.zeros(1, np.int64), {"first": silent, "last": silent + self.network.timesteps}
        mantissa, exponent = split_exactly(bias, name)
        common: dict[str, Any] = {"shape": shape, "v": v, "bias_mant": mantissa, "bias_exp": exponent, "name": name}
        vth = int(population.unit(0)) if population.spiking else VTH_MAX
        made = neuron(population, self.chip.realization)
        if made == "lif":
            process: Any = LIF(du=DU, dv=DV, vth=vth, **common)
        elif made == "lifreset":
            first = self.network.begins[name] + 1 + population.first_step
            process = LIFReset(du=DU, dv=DV, vth=vth, reset_interval=self.network.timesteps, reset_offset=first, **common)
        elif made == "native":
            process = SeparatedIF(vth=vth, **common, **sends) if sends else SoftResetIF(vth=vth, **common)
        else:
            state["r"] = np.full(shape, first_refractory(vth), np.int64)
            process = ATRLIF(
                theta=vth // 2, theta_0=vth // 2, theta_step=0, r=state["r"], delta_i=DELTA_I, delta_v=0, delta_theta=0, delta_r=0, **common
            )
        return Neurons(process, self.network.begins[name], state, biases)

    def _connect(self, connection: Connection, name: str, port: OutPort) -> Any:
        check_weights(connection)
        bits = message_bits(self.network, connection)
        from_host = self.network.is_input(connection.source)
        mapped = lava_map(self.network, connection, self.views)
        delay = 0 if from_host else self.network.delay(connection)
        if delay > MAX_DELAY:
            raise LimitExceeded(
                f"a delay of {delay} steps",
                where=connection.name,
                limit=f"at most {MAX_DELAY}",
                remedy="let the skip jump over fewer layers",
            )
        exponent = connection.weight_exp
        if isinstance(mapped, LavaConv) and exponent:  # Lava's Conv has no exponent
            mapped = all_synapses(self.network, connection, self.views)
        kind = "conv" if isinstance(mapped, LavaConv) else "dense"
        if from_host and bits:
            bits = ADAPTER_BITS[kind]
        if delay:
            matrix = all_synapses(self.network, connection, self.views).weight
            delays = matrix.copy()
            delays.data = np.full(matrix.nnz, delay, np.int64)  # Lava takes no other integers
            synapses: Any = DelaySparse(
                weights=matrix, delays=delays, max_delay=delay, weight_exp=exponent, num_message_bits=bits, name=name
            )
        else:
            synapses = self._synapses(mapped, connection, {"num_message_bits": bits, "name": name})
        if from_host:
            port = self.ends.adapted(port, kind, bits, f"adapter in front of {name}")
        join(port, synapses.s_in)
        return synapses

    def _synapses(self, mapped: LavaMap, connection: Connection, common: dict[str, Any]) -> Any:
        """Lava's process for synapses without a delay."""
        match mapped:
            case LavaSparse():
                return Sparse(weights=mapped.weight, weight_exp=connection.weight_exp, **common)
            case LavaDense():
                return Dense(weights=mapped.weight, weight_exp=connection.weight_exp, **common)
            case LavaConv():
                if self.settings.stock_models or self.chip.place == "loihi":
                    check_stock_conv(mapped, connection.name)
                return Conv(
                    weight=mapped.weight,
                    input_shape=self.views[connection.source][::-1],
                    padding=mapped.padding,
                    stride=mapped.stride,
                    dilation=mapped.dilation,
                    groups=mapped.groups,
                    **common,
                )
            case _:
                assert_never(mapped)
