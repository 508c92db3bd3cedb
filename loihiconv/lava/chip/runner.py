"""Run the chip's graph.

Neurons that begin every sample by themselves (`AT_ONCE`) let all samples pass in one run of N T + L steps, L the depth of the network.

Lava's other stock neurons know no windows. Before a population's window for a sample begins, the host sets its state, and
that works only while Lava is paused. So the first L steps of a sample (L the depth of the network) are single ones, after
each of which the populations of the next depth are set; then the readout's T steps run in one. A sample costs T + L steps
and L + 1 pauses. A delayed readout is set once more after the steps that it lets pass, which is one pause more. What a
population sends before its window or after it arrives outside of its targets' windows: their state is set after it came, and
with du = 4095 no current outlives a step. So none of it changes a result.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg

from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.lava.chip import cores, loihi
from loihiconv.lava.chip.ends import Adapters, NoAdapters
from loihiconv.lava.chip.graph import Graph, build
from loihiconv.lava.chip.lif import READOUT_OFFSET
from loihiconv.lava.chip.measuring import figures, total_steps, windows
from loihiconv.lava.chip.realizations import AT_ONCE
from loihiconv.lava.chip.settings import ChipSettings
from loihiconv.lava.files import append, sign_extended
from loihiconv.lava.job import Job, Settings


def run(network: Network, job: Job, settings: Settings, chip: ChipSettings) -> None:
    """Run all samples of a job on the CPU or on a board; the worker calls this."""
    if chip.access.profile is not None:
        _measure(network, job, settings, chip)
        return
    if chip.place == "loihi":
        loihi.connect(chip.access, chip.generation)
        configuration = loihi.configuration(chip, [])
        graph = _build(network, job, settings, chip, loihi.Embedded())
    else:
        configuration = _simulation(settings)
        graph = _build(network, job, settings, chip, NoAdapters())
    try:
        if chip.place == "loihi":
            cores.start(graph.top, graph.on_chip, configuration)
        if chip.realization in AT_ONCE:
            _run_all(network, graph, configuration, job, settings)
        else:
            for sample in range(settings.samples):
                _run_sample(network, graph, sample, configuration, job, settings)
    finally:
        graph.top.stop()


def _measure(network: Network, job: Job, settings: Settings, chip: ChipSettings) -> None:
    """Samples again and again, in one run: the profiler counts the steps of one, and is known to fail on a second."""
    least, measurement = chip.access.profile_steps, chip.access.profile
    assert measurement is not None
    samples = len(np.load(job.payload(0), mmap_mode="r"))
    repeated = replace(settings, samples=windows(network, least, samples))
    loihi.connect(chip.access, chip.generation)
    graph = _build(network, job, repeated, chip, loihi.Replaying() if measurement == "throughput" else loihi.Embedded())
    steps = total_steps(network, least, samples) + graph.later
    callbacks = loihi.callbacks(steps)
    try:
        cores.start(graph.top, graph.on_chip, loihi.configuration(chip, callbacks))
        graph.top.run(RunSteps(steps), loihi.configuration(chip, callbacks), cores.COMPILE)
        if measurement == "throughput":
            append(job.potentials, sign_extended(graph.readout.v.get()).T.astype("<i4"))
    finally:
        graph.top.stop()
    if measurement == "latency":
        append(job.potentials, np.fromfile(job.repeated_potentials, "<i4")[-network.readout.size :])
    measured = loihi.profile(callbacks)
    job.profile.write_text(json.dumps({**figures(network, measurement, steps, chip.chips, measured), "profiler": measured}))


def _build(network: Network, job: Job, settings: Settings, chip: ChipSettings, adapters: Adapters) -> Graph:
    if chip.realization == "netx":
        from loihiconv.lava.chip.netx import load

        return load(network, job, settings, chip, adapters)
    return build(network, job, settings, chip, adapters)


def _simulation(settings: Settings) -> Loihi2SimCfg:
    from loihiconv.lava.processes.models import FAST

    return Loihi2SimCfg(select_tag="fixed_pt", exception_proc_model_map={} if settings.stock_models else FAST)


def _run_all(network: Network, graph: Graph, configuration: Any, job: Job, settings: Settings) -> None:
    steps = settings.samples * network.timesteps + max(network.begins.values()) + graph.later
    graph.top.run(RunSteps(1), configuration, cores.COMPILE)
    job.write_status("running")  # what came before may have waited for a board, and the caller's deadline does not count it
    if steps > 1:
        graph.top.run(RunSteps(steps - 1), configuration, cores.COMPILE)


def _run_sample(network: Network, graph: Graph, sample: int, configuration: Any, job: Job, settings: Settings) -> None:
    def advance(steps: int) -> None:
        graph.top.run(RunSteps(steps), configuration, cores.COMPILE)

    for depth in range(1, max(network.begins.values()) + 1):
        advance(1)
        if sample == 0 and depth == 1:  # what came before may have waited for a board, and the caller's deadline does not count it
            job.write_status("running")
        for neurons in graph.neurons.values():
            if neurons.depth == depth:
                neurons.begin(sample)
    delay, readout = network.readout.delay, graph.neurons[network.readout.name]
    if delay:
        advance(delay)
        readout.begin(sample)
    if settings.record_potentials:
        course = [readout.state["v"] + READOUT_OFFSET] * delay
        for _ in range(network.readout_steps):
            advance(1)
            course.append(_potentials(graph))
        append(job.potentials_over_time, np.stack([v.T.ravel() for v in course]).astype("<i4"))
    else:
        advance(network.readout_steps)
    append(job.potentials, _potentials(graph).T.astype("<i4"))


def _potentials(graph: Graph) -> Array:
    """Of the readout, as the emulator has them."""
    return sign_extended(graph.top.v.get()) + READOUT_OFFSET
