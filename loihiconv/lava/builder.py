"""Network -> connected Lava processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.proc.conv.process import Conv as LavaConvProcess
from lava.proc.dense.process import Dense as LavaDenseProcess
from lava.proc.sparse.process import Sparse as LavaSparseProcess

from loihiconv.core.errors import LimitExceeded
from loihiconv.core.linear import Array, Conv, Shape
from loihiconv.core.network import (
    IF,
    STATE_SHIFT,
    Connection,
    Input,
    Integrator,
    MaxPool,
    Network,
    Readout,
    assert_never,
)
from loihiconv.core.validation import check_joined, check_start, check_threshold, check_weights, split_exactly
from loihiconv.lava.job import Job, Settings
from loihiconv.lava.layout import LavaConv, LavaDense, LavaSparse, all_synapses, lava_map, lava_views
from loihiconv.lava.processes.process import (
    Delay,
    GradedIF,
    MaxPoolGate,
    PayloadInput,
    PoissonInput,
    ReadoutIntegrator,
    ResetToZeroIF,
    SubtractiveIF,
)
from loihiconv.lava.sums import Synapses
from loihiconv.lava.window import Window


def build(network: Network, job: Job, settings: Settings) -> list[AbstractProcess]:
    """Processes of a fixed-point network, connected.

    Parameters
    ----------
    network : Network
        In fixed point; its integers are taken as they are.
    job : Job
        Folder with the payload and biases, into which the processes write.
    settings : Settings

    Raises
    ------
    LimitExceeded
        If Lava would change one of the integers. `loihiconv.core.validation.validate` finds all that is refused here, but for what
        Intel's own models (``stock_models``) cannot take.
    """
    check_joined(network)
    views = lava_views(network)
    begins = network.begins
    fused = {} if settings.stock_models else _fused(network)
    processes: dict[str, AbstractProcess] = {}
    for index, population in enumerate(network.populations):
        if isinstance(population, Input) and all(c.on_host for c in network.outgoing(population.name)):
            continue  # the host has it all: Lava runs only what is connected
        begin, silent = begins[population.name], population.silent_steps
        window = Window(network.timesteps, begin, settings.samples, network.period - network.timesteps, silent, settings.first)
        shape = views[population.name][::-1]
        inside = _synapses(network, fused[population.name], views) if population.name in fused else None
        processes[population.name] = _population(network, index, shape, window, job, settings, inside)
    joined: list[AbstractProcess] = []
    for number, connection in enumerate(network.connections):
        if connection in fused.values():
            check_weights(connection)
            join(processes[connection.source].s_out, processes[connection.target].a_in)
        elif not connection.on_host:
            joined += _connect(network, connection, f"{number}:{connection.name}", views, processes, settings)
    return [*processes.values(), *joined]


def total_steps(network: Network, samples: int) -> int:
    """Steps until the deepest population has finished the last sample: N P + L, with the period P and the latest window's begin L."""
    return samples * network.period + max(network.begins.values())


def _fused(network: Network) -> dict[str, Connection]:
    """Connections that are computed in the process of their target: those that are the only ones into it."""
    result: dict[str, Connection] = {}
    for population in network.populations:
        incoming = [c for c in network.incoming(population.name) if not c.on_host]
        if len(incoming) == 1 and isinstance(population, Integrator) and not network.delay(incoming[0]):
            result[population.name] = incoming[0]
    return result


def _synapses(network: Network, connection: Connection, views: dict[str, Shape]) -> Synapses:
    source, target = (views[name][::-1] for name in (connection.source, connection.target))
    return Synapses(lava_map(network, connection, views), source, target, message_bits(network, connection), connection.weight_exp)


def message_bits(network: Network, connection: Connection) -> int:
    """Width of graded spikes; 0 stands for binary ones."""
    source = network[connection.source]
    return 0 if source.spiking and not source.graded else max(1, source.largest_message.bit_length())


def _gate(network: Network, population: MaxPool, index: int, window: Window, job: Job, settings: Settings) -> AbstractProcess:
    (connection,) = network.incoming(population.name)
    assert isinstance(connection.map, Conv)  # established by Network
    return MaxPoolGate(
        shape=population.shape[::-1],
        source=network[connection.source].shape[::-1],
        window=window,
        population=population,
        windows=connection.map,
        name=population.name,
        **_spike_files(index, job, settings),
    )


def _spike_files(index: int, job: Job, settings: Settings) -> dict[str, Any]:
    return {"counts": job.counts(index), "spikes": job.spikes(index) if settings.record_spikes else None}


def _population(
    network: Network, index: int, shape: Shape, window: Window, job: Job, settings: Settings, synapses: Synapses | None
) -> AbstractProcess:
    """The process of a population: one branch for each kind."""
    population = network.populations[index]
    files = _spike_files(index, job, settings)
    match population:
        case Input():
            return _input(population, index, shape, window, job, files)
        case MaxPool():
            return _gate(network, population, index, window, job, settings)
        case IF():
            return _spiking(population, files, _state(population, index, shape, window, job, synapses))
        case Readout():
            course = job.potentials_over_time if settings.record_potentials else None
            state = _state(population, index, shape, window, job, synapses)
            return ReadoutIntegrator(potentials=job.potentials, course=course, delay=population.delay, **state)
        case _:
            assert_never(population)


def _input(population: Input, index: int, shape: Shape, window: Window, job: Job, files: dict[str, Any]) -> AbstractProcess:
    common: dict[str, Any] = {"shape": shape, "window": window, "name": population.name}
    if population.coding == "analog":
        return PayloadInput(payload=job.payload(index), **common)
    if population.coding == "poisson":
        return PoissonInput(population=population, payload=job.payload(index), **common, **files)
    # Rate coding: neurons with the sample's payload as their bias, in units of v, and half the threshold to start with.
    zeros, start = np.zeros(shape, np.int32), np.full(shape, population.payload_max // 2 << STATE_SHIFT, np.int32)
    common |= {"v_init": start, "bias_mant": zeros, "bias_exp": zeros, "biases": _biases(job, index)}
    return SubtractiveIF(vth=population.payload_max, **common, **files)


def _spiking(population: IF, files: dict[str, Any], state: dict[str, Any]) -> AbstractProcess:
    check_threshold(population)
    if population.graded:
        return GradedIF(vth=int(population.vth), payload_max=population.payload_max, signed=population.signed, **state, **files)
    process = SubtractiveIF if population.reset == "subtract" else ResetToZeroIF
    return process(vth=int(population.vth), **state, **files)


def _state(population: Integrator, index: int, shape: Shape, window: Window, job: Job, synapses: Synapses | None) -> dict[str, Any]:
    """What all processes that integrate are made with."""
    name, biases = population.name, _biases(job, index)
    check_start(population, window.timesteps)
    v_init = lava_array(population.v_init, population.shape, shape)
    # Where the host loads biases, the population's own is part of them, and not yet what a chip could hold.
    bias = np.zeros(shape, np.int64) if biases else lava_array(population.bias, population.shape, shape)
    mantissa, exponent = split_exactly(bias, name)
    return {
        "shape": shape,
        "window": window,
        "name": name,
        "biases": biases,
        "synapses": synapses,
        "v_init": v_init,
        "bias_mant": mantissa,
        "bias_exp": exponent,
    }


def _biases(job: Job, index: int) -> Path | None:
    """The file of biases that the host loads for each sample, if there is one."""
    path = job.biases(index)
    return path if path.exists() else None


def _connect(
    network: Network, connection: Connection, name: str, views: dict[str, Shape], processes: dict[str, Any], settings: Settings
) -> list[AbstractProcess]:
    source, target = processes[connection.source], processes[connection.target]
    made: list[AbstractProcess] = []
    spikes: OutPort = source.s_out
    if steps := network.delay(connection):
        delay = Delay(shape=spikes.shape, steps=steps, name=f"{name} delay")
        spikes.connect(delay.s_in)
        spikes = delay.s_out
        made.append(delay)
    if not isinstance(network[connection.target], Integrator):  # no synapses: gates take the spikes themselves
        join(spikes, target.s_in)
        return made
    bits = message_bits(network, connection)
    check_weights(connection)
    mapped = lava_map(network, connection, views)
    if isinstance(mapped, LavaConv) and connection.weight_exp and settings.stock_models:
        mapped = all_synapses(network, connection, views)  # Lava's own Conv has no exponent; its Sparse has
    common: dict[str, Any] = {"weight_exp": connection.weight_exp, "num_message_bits": bits, "name": name}
    synapses: Any
    match mapped:
        case LavaConv():
            if settings.stock_models:
                check_stock_conv(mapped, connection.name)
            synapses = LavaConvProcess(
                weight=mapped.weight,
                input_shape=spikes.shape,
                padding=mapped.padding,
                stride=mapped.stride,
                dilation=mapped.dilation,
                groups=mapped.groups,
                **common,
            )
        case LavaDense():
            synapses = LavaDenseProcess(weights=mapped.weight, **common)
        case LavaSparse():
            synapses = LavaSparseProcess(weights=mapped.weight, **common)
        case _:
            assert_never(mapped)
    join(spikes, synapses.s_in)
    join(synapses.a_out, target.a_in)
    return [*made, synapses]


def join(source: OutPort, target: InPort) -> None:
    """Connect two ports of the same size; both count in C order."""
    (source if source.shape == target.shape else source.reshape(target.shape)).connect(target)


def lava_array(values: Array, channels_first: Shape, shape: Shape) -> Array:
    """Values broadcast to a population's shape, as a Lava array."""
    return np.ascontiguousarray(np.broadcast_to(values, channels_first).reshape(shape[::-1]).T, dtype=np.int64)


def check_stock_conv(conv: LavaConv, where: str) -> None:
    """Raise `LimitExceeded` where the geometry does not fit the 8 bits of Lava's own model."""
    largest = max(*conv.weight.shape[1:3], *conv.stride, *conv.padding, *conv.dilation, conv.groups)
    if largest > 127:
        raise LimitExceeded(
            f"a kernel size, stride, padding, dilation or number of groups of {largest}",
            where=where,
            limit="Lava's own Conv model keeps them in 8 bits, at most 127",
            remedy="run with stock_models=False",
        )
