#!/usr/bin/env python3
"""What a cluster costs: milliseconds and bytes per slice, measured here, and the efficiency on 1, 10 and 100 nodes that follows from them.

    python benchmarks/cluster.py                       # mnist_cnn and cifar10_cnn, some minutes
    python benchmarks/cluster.py --net mnist_cnn --json

Measured on a local cluster of one worker process: seconds of the client's and scheduler's CPU per slice, of which the client can do one
after the other; seconds that a worker waits between two slices; bytes of a slice's call, its result, the network, and the samples. Then
100,000 samples x 100 points are simulated, event by event: one client, nodes of 32 workers, a network of 1 GB/s for each, conversions of
points first. Starting workers is not counted. Efficiency is the time that all work takes on one worker, over workers x time.
"""

from __future__ import annotations

import heapq
import json
import os
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import loihiconv as lc
from benchmarks import nets
from loihiconv.backends.backend import RunOptions
from loihiconv.backends.simulators import EMULATOR
from loihiconv.backends.slices import MOST, slice_size
from loihiconv.backends.spread import FEWEST, even_size, run_slice
from loihiconv.clusters.farm import Farm
from loihiconv.clusters.jobs import Job
from loihiconv.evaluation.sweep.spread import PAGE_BYTES, power_of_two

SHAPES = {"mnist_cnn": (1, 28, 28), "cifar10_cnn": (3, 32, 32), "mobilenet": (3, 32, 32)}
SAMPLES, POINTS = 100_000, 100
CORES = 32
BANDWIDTH = 1e9
"""Bytes per second that a worker receives."""
SPREAD = 0.05
"""Standard deviation of what equal slices take, of their mean."""
EMPTY = 300
"""Slices without work that are timed."""
IN_FLIGHT = 32
"""Of these at a time, where the client's time is measured: dask sends messages together."""


@dataclass(frozen=True)
class Measured:
    """Costs of one network.

    Attributes
    ----------
    per_sample, conversion : float
        Seconds of one core: the emulator's, and a conversion's from calibration data that is measured.
    client, wait : float
        Seconds per slice: of the client's and scheduler's CPU, and between two slices of a worker.
    call, result, network, sample : int
        Bytes: of a slice's call without what is shared, of its result per sample, of the network, of a sample.
    largest : int
        Samples of a slice at most.
    """

    per_sample: float
    conversion: float
    client: float
    wait: float
    call: int
    result: float
    network: int
    sample: int
    largest: int


def main(
    net: Annotated[str | None, typer.Option(help=f"One of {', '.join(SHAPES)}; default mnist_cnn and cifar10_cnn.")] = None,
    timesteps: Annotated[int, typer.Option("--timesteps", "-T")] = 32,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout, and nothing else there.")] = False,
) -> None:
    """Measure what slices cost, and simulate large clusters."""
    found = {}
    for name in [net] if net else ["mnist_cnn", "cifar10_cnn"]:
        measured = measure(name, timesteps)
        found[name] = {"measured": asdict(measured), "efficiency": {nodes: simulate(measured, nodes) for nodes in (1, 10, 100)}}
    if as_json:
        print(json.dumps(found, indent=2))
        return
    print(f"T = {timesteps}, {os.cpu_count()} cores, {datetime.now(timezone.utc):%Y-%m-%d}")
    for name, figures in found.items():
        m = Measured(**figures["measured"])  # type: ignore[arg-type]
        print(
            f"{name}: a slice costs {m.client * 1e3:.1f} ms of the client, {m.wait * 1e3:.1f} ms of waiting, {m.call:,} bytes there, and "
            f"{m.result:.0f} back for each sample; once per worker {m.network / 1e6:.1f} MB of network and {m.sample:,} bytes per sample. "
            f"A sample takes {m.per_sample * 1e3:.2f} ms, a conversion {m.conversion:.1f} s"
        )
        for nodes, (seconds, efficiency, size, slices) in figures["efficiency"].items():  # type: ignore[attr-defined]
            print(f"  {nodes:>3} nodes: {slices:>6,} slices of {size:>5,}: {seconds:>9,.1f} s, efficiency {efficiency:.1%}")


def measure(name: str, timesteps: int) -> Measured:
    """The costs of a network, with random samples in the shape of its data."""
    import cloudpickle
    import torch

    warnings.simplefilter("ignore")  # of random samples
    torch.set_num_threads(1)
    x = np.random.default_rng(0).random((512, *SHAPES[name]), np.float32)
    begin = time.process_time()
    network = lc.convert(nets.trained(name), x[:100], board="kapoho_point", timesteps=timesteps)
    conversion = time.process_time() - begin
    few = x[: 512 if name == "mnist_cnn" else 64]
    lc.run(network, few[:8])
    begin = time.process_time()
    recording = lc.run(network, few, counts=False)
    per_sample = (time.process_time() - begin) / len(few)
    options = RunOptions(counts=False)
    return Measured(
        per_sample,
        conversion,
        overhead(IN_FLIGHT)[0],
        overhead(1)[1],
        len(cloudpickle.dumps((run_slice, "samples 0 to 4095", (0, 4096), 0))),
        len(cloudpickle.dumps(recording)) / len(recording),
        len(cloudpickle.dumps(network)),
        x[0].nbytes,
        slice_size(EMULATOR, network, options),
    )


def overhead(slots: int) -> tuple[float, float]:
    """Seconds for a slice without work, so many at a time on one worker: of this process's CPU, and of the clock."""
    from distributed import Client, LocalCluster

    options = {"threads_per_worker": slots, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(n_workers=1, **options) as cluster, Client(cluster) as client, Farm(client) as farm:
        shared = farm.share(0)
        farm.add(Job("warm", nothing, (shared, 0)))
        list(farm)
        for i in range(EMPTY):
            farm.add(Job(str(i), nothing, (shared, i)))
        wall, cpu = time.perf_counter(), time.process_time()
        list(farm)
        return (time.process_time() - cpu) / EMPTY, (time.perf_counter() - wall) / EMPTY


def nothing(shared: int, own: int) -> int:
    """A slice without work."""
    return shared + own


def simulate(m: Measured, nodes: int, seed: int = 0) -> tuple[float, float, int, int]:
    """Seconds, efficiency, samples per slice and slices of a sweep on so many nodes.

    One client hands out slices one after the other. Conversions go first, each to a worker of its own; a point's slices follow when it is
    converted. A worker receives a network with its first slice of a point, and a page of samples with the first slice of it.
    """
    rng = np.random.default_rng(seed)
    workers = nodes * CORES
    page = power_of_two(min(MOST, PAGE_BYTES // m.sample))
    size = min(power_of_two(even_size(SAMPLES * POINTS, workers, FEWEST[False], m.largest)), page)
    free = [(0.0, worker) for worker in range(workers)]
    client, end = 0.0, 0.0
    held: set[tuple[int, int, int]] = set()

    def given(earliest: float, work: float, missing: tuple[tuple[int, int, float], ...] = ()) -> float:
        """When a job is done that the client hands out to the worker that is free first."""
        nonlocal client, end
        at, worker = heapq.heappop(free)
        client = max(client, at, earliest) + m.client
        receive = sum(size_of for kind, which, size_of in missing if (worker, kind, which) not in held) / BANDWIDTH
        held.update((worker, kind, which) for kind, which, _ in missing)
        done = client + m.wait + receive + work * (1 + SPREAD * abs(rng.standard_normal()))
        heapq.heappush(free, (done, worker))
        end = max(end, done)
        return done

    ready = sorted((given(0.0, m.conversion), point) for point in range(POINTS))
    for converted, point in ready:
        client = max(client, converted) + 2 * m.network / BANDWIDTH  # it comes to the client, and goes from there to workers
        for first in range(0, SAMPLES, size):
            number = min(size, SAMPLES - first)
            missing = ((0, point, float(m.network)), (1, first // page, float(page * m.sample)))
            given(converted, number * m.per_sample, missing)
    total = SAMPLES * POINTS * m.per_sample + POINTS * m.conversion
    return end, total / (workers * end), size, POINTS * -(-SAMPLES // size)


if __name__ == "__main__":
    typer.run(main)
