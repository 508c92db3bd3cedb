"""What `benchmarks/speed.py` times, all on the same converted network and the same samples; see there."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Protocol

import numpy as np
import torch
from torch import nn

import loihiconv as lc
from benchmarks import data, nets
from benchmarks.peers.environment import PEERS, Running
from loihiconv.core.linear import Array, Conv
from loihiconv.core.network import Network
from loihiconv.lava.client import run_lava
from loihiconv.simulator import simulate
from loihiconv.simulator.int8 import has_fast_matmul
from loihiconv.simulator.synapses import Synapses

NETWORKS = {"mnist_cnn": "mnist", "cifar10_cnn": "cifar10", "mobilenet": "cifar10"}
"""Networks and their data sets."""
CALIBRATION_SAMPLES = 1000
ANN_BATCHES = (32, 128, 512)
PRODUCT_BYTES = (2**18, 2**19, 2**20, 2**21, 2**22)
"""Sizes of results among which the limit's products find their fastest."""


@dataclass
class Subject:
    """A network to be timed.

    Attributes
    ----------
    model : nn.Module
        The float network, with average pooling in place of max-pooling: not every contestant has spiking max-pooling.
    network : Network
        In fixed point, with its float origin.
    x : array (N, \\*shape)
    notes : list of str
    """

    name: str
    model: nn.Module
    network: Network
    x: Array
    notes: list[str]


class Contestant(Protocol):
    """Something that can be timed over some samples, again and again."""

    samples: int

    def seconds(self) -> float:
        """Time of one run over ``samples`` samples."""

    def close(self) -> None:
        """Release what it holds."""


def subject(name: str, samples: int, timesteps: int) -> Subject:
    """Convert one of `NETWORKS`; calibrated on training samples, run on test samples."""
    x_train, _, x_test, _ = data.load(NETWORKS[name])
    notes: list[str] = []
    try:
        model = nets.trained(name)
    except FileNotFoundError:
        model = _settled(getattr(nets, name)(), x_train[:512])
        notes.append("weights are random: this network has not been trained yet")
    if _average_pooling(model):
        notes.append("max-pooling replaced by average pooling for all contestants, as not all have spiking max-pooling")
    network = lc.convert(model, x_train[:CALIBRATION_SAMPLES], board="kapoho_point", timesteps=timesteps)
    repeated = np.resize(np.arange(len(x_test)), samples)
    return Subject(name, model, network, x_test[repeated], notes)


class Timed:
    """A contestant in this process.

    Parameters
    ----------
    run : function of samples
    x : array (N, \\*shape)
    """

    def __init__(self, run: Callable[[Array], object], x: Array) -> None:
        self.run, self.x, self.samples = run, x, len(x)
        run(x[:64])  # compiled kernels are loaded, oneDNN's are made

    def seconds(self) -> float:
        begin = time.perf_counter()
        self.run(self.x)
        return time.perf_counter() - begin

    def close(self) -> None:
        """Nothing to release."""


def emulator(subject: Subject, samples: int) -> Timed:
    """Our emulator."""
    return Timed(lambda x: simulate(subject.network, x, counts=False), subject.x[:samples])


def float_simulation(subject: Subject, samples: int) -> Timed:
    """Our float simulation."""
    origin = subject.network.origin
    assert origin is not None  # just converted
    return Timed(lambda x: simulate(origin, x, counts=False), subject.x[:samples])


def ann_forward(subject: Subject, samples: int) -> Timed:
    """T times the float network, in the batch size that suits it best: what a naive simulator must at least do."""
    model, steps = subject.model.eval(), subject.network.timesteps

    def forward(x: Array, batch: int) -> None:
        with torch.inference_mode():
            for begin in range(0, len(x), batch):
                model(torch.from_numpy(x[begin : begin + batch]))

    def seconds(batch: int) -> float:
        begin = time.perf_counter()
        forward(subject.x[: ANN_BATCHES[-1]], batch)
        return time.perf_counter() - begin

    forward(subject.x[:32], 32)
    best = min(ANN_BATCHES, key=seconds)

    def repeated(x: Array) -> None:
        for _ in range(steps):
            forward(x, best)

    return Timed(repeated, subject.x[: max(1, samples // 4)])


class Peer:
    """A simulator by others, in its own environment."""

    def __init__(self, name: str, subject: Subject, samples: int) -> None:
        origin = subject.network.origin
        assert origin is not None  # just converted
        self.samples = samples
        self.running = Running(name, origin, subject.x[:samples], torch.get_num_threads())

    def seconds(self) -> float:
        return self.running.seconds()

    def close(self) -> None:
        self.running.close()


class Lava:
    """Lava's CPU simulator; steps are timed once it runs, without its start, and given for all samples."""

    def __init__(self, subject: Subject, samples: int, timesteps: int, *, stock: bool) -> None:
        # The cost of a step does not depend on how many there are.
        self.network = replace(subject.network, timesteps=timesteps)
        self.x, self.stock, self.samples = subject.x[:samples], stock, 1
        self.scale = subject.network.timesteps / timesteps

    def seconds(self) -> float:
        """Per sample, at the subject's T."""
        finished: list[tuple[int, float]] = []
        run_lava(
            self.network, self.x, stock_models=self.stock, deadline=900, progress=lambda n, _: finished.append((n, time.perf_counter()))
        )
        (first, begin), (last, end) = finished[0], finished[-1]
        if last == first:
            raise RuntimeError("all samples finished at once: give it more")
        return (end - begin) / (last - first) * self.scale

    def close(self) -> None:
        """Nothing to release."""


class Gemm:
    """The products of a network alone, of the sizes that its layers have, as fast as this machine does them here.

    Per connection the fastest of oneDNN's own convolution or product of bytes, of matrix products in int8 (where the processor has them),
    bfloat16 and float32, and of `PRODUCT_BYTES` of results at a time: small ones stay in the cache,
    large ones spread the cost of a call. Windows are taken to be there already, side by side, and nothing uses the results. A constant
    first layer is counted once per sample. A depthwise convolution is no matrix product (or one per channel, with a single column): there
    it is oneDNN's int8 convolution alone, with the sums that it writes. The emulator's kernel for these makes sums and spikes in one pass
    and may take less.
    """

    def __init__(self, subject: Subject, samples: int) -> None:
        network, self.samples = subject.network, samples
        self.jobs: list[tuple[Callable[[], object], float]] = []
        for connection in network.connections:
            source, linear = network[connection.source], connection.map
            times = 1.0 if source.spiking else 1.0 / network.timesteps
            positions = prod(linear.output_shape(source.shape)[1:]) if isinstance(linear, Conv) else 1
            outputs = len(linear.weight)
            choices: list[tuple[Callable[[], object], float]] = []
            synapses = Synapses(network, connection, torch.device("cpu"))
            for size in PRODUCT_BYTES:
                images = max(1, size // (4 * positions * outputs))
                choices.append((partial(synapses, torch.zeros((images, prod(source.shape)), dtype=torch.uint8)), times / images))
                if not isinstance(linear, Conv) or linear.groups == 1:
                    choices.append((_fastest(images * positions, prod(linear.weight.shape[1:]), outputs), times / images))
            self.jobs.append(min(choices, key=lambda job: _median_seconds(job[0]) * job[1]))

    def seconds(self) -> float:
        total = 0.0
        for run, share in self.jobs:
            total += share * _mean_seconds(run)
        return total * self.samples

    def close(self) -> None:
        """Nothing to release."""


def gemm(subject: Subject, samples: int) -> Gemm:
    """See `Gemm`; its seconds are for all steps."""
    limit = Gemm(subject, samples * subject.network.timesteps)
    limit.samples = samples * subject.network.timesteps
    return limit


def peers() -> tuple[str, ...]:
    """Names of simulators by others."""
    return tuple(PEERS)


def _fastest(rows: int, depth: int, outputs: int) -> Callable[[], object]:
    """A product of bytes, bfloat16 or float32, into an array that is there."""
    a = torch.randint(0, 2, (rows, depth), dtype=torch.int8)
    b = torch.randint(-127, 128, (depth, outputs), dtype=torch.int8)
    options: list[Callable[[], object]] = []
    products: list[tuple[torch.dtype, torch.dtype, Callable[..., object]]] = [(torch.float32, torch.float32, torch.mm)]
    if has_fast_matmul():  # elsewhere these are plain loops, or emulated
        products += [(torch.int8, torch.int32, torch._int_mm), (torch.bfloat16, torch.bfloat16, torch.mm)]
    for dtype, result, product in products:
        options.append(partial(product, a.to(dtype), b.to(dtype), out=torch.empty((rows, outputs), dtype=result)))
    timings: list[tuple[float, Callable[[], object]]] = []
    for option in options:
        try:
            timings.append((_median_seconds(option), option))
        except RuntimeError:
            continue  # this build of torch has no such product
    return min(timings, key=lambda pair: pair[0])[1]


def _median_seconds(run: Callable[[], object], repeats: int = 5) -> float:
    run()
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begin)
    return float(np.median(taken))


def _mean_seconds(run: Callable[[], object], at_least: float = 0.05) -> float:
    """Mean over long enough that a busy machine takes the same share from it as from everybody else."""
    run()
    begin, calls = time.perf_counter(), 0
    while (taken := time.perf_counter() - begin) < at_least:
        run()
        calls += 1
    return taken / calls


def _average_pooling(module: nn.Module) -> int:
    """Replace max-pooling by average pooling of the same geometry; how many there were."""
    replaced = 0
    for name, child in list(module.named_children()):
        if isinstance(child, nn.MaxPool2d):
            setattr(module, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding))
            replaced += 1
        else:
            replaced += _average_pooling(child)
    return replaced


def _settled(model: nn.Module, x: Array) -> nn.Module:
    """A network with random weights whose batch norms have seen data."""
    torch.manual_seed(0)
    model.train()
    with torch.no_grad():
        for _ in range(20):
            model(torch.from_numpy(x))
    return model.eval()
