"""The small networks that a self-test runs before the deployed one, each with one thing that the others do without.

All are made of what the deployed network is made of on the chip: its neurons, its number of time steps, its kinds of synapses with their
exponent, its way from the host into them. Where it is not the way from the host that is tested, neurons are driven by their biases and
the host sends zeros. So a fault of one part shows in its own stage, and in no stage before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Shape, from_matrix
from loihiconv.core.network import IF, STATE_SHIFT, Connection, Input, Network, Readout
from loihiconv.lava.chip.realizations import AT_ONCE, TO_ZERO, Realization
from loihiconv.lava.layout import SynapseKind, lava_views, synapse_kind
from loihiconv.lava.stages import TESTS

STEPS = (8, 64)
"""Time steps of a sample at least and at most; in between the deployed network's."""
DRIVEN_VTH = 12
"""Threshold of neurons that biases drive, by 3 to 18; even, as ``ATRLIF`` needs it."""
VTH_PER_SYNAPSE = 42
"""Threshold of neurons behind others for each of their synapses; a mean weight is 67."""
SOURCE, FIRST, SECOND, LAST = "input", "first", "second", "readout"
ZERO = np.array(0, np.int32)
IMAGE: Shape = (2, 3, 4)
"""An image whose axes no fault can mistake for each other."""
KERNELS = ((2, 3), (2, 2))
"""Heights and widths in a chain of convolutions over it."""
WEIGHT_MAX = 254
"""The largest even weight of 8 bits."""


@dataclass(frozen=True, eq=False)
class SmallNetwork:
    """A stage of the self-test.

    Parameters
    ----------
    name : str
        One of `loihiconv.lava.stages.TESTS`.
    network : Network
        Fixed point, as the realization runs it.
    x : array (N, \\*input shape)
    """

    name: str
    network: Network
    x: Array


def small_networks(network: Network, realization: Realization) -> list[SmallNetwork]:
    """The stages for a network, in the order in which they run: those whose parts it has.

    Parameters
    ----------
    network : Network
        As `loihiconv.backends.realize.realize` gives it.
    realization : one of `loihiconv.lava.chip.realizations.REALIZATIONS`
    """
    makers = {stage.name: stage for stage in _Maker(network, realization).stages()}
    return [makers[name] for name in TESTS if name in makers]


@dataclass(frozen=True, eq=False)
class _Entry:
    """A way from the host into a network: what sends, through which synapses, and with which exponent."""

    source: Input
    kind: SynapseKind
    on_host: bool
    exponent: int

    @property
    def name(self) -> str:
        return "biases" if self.on_host else f"{self.kind}-{'spikes' if self.source.spiking else 'payloads'}"


class _Maker:
    def __init__(self, network: Network, realization: Realization) -> None:
        self.network, self.steps = network, min(max(network.timesteps, STEPS[0]), STEPS[1])
        spiking = next((p for p in network.layers if isinstance(p, IF)), None)
        self.reset = spiking.reset if spiking else "zero" if realization in TO_ZERO else "subtract"
        self.start = 0 if realization in AT_ONCE else 5 << STATE_SHIFT
        self.exponents: dict[SynapseKind, int] = {}
        self.entries: dict[str, _Entry] = {}
        self._survey()

    def _survey(self) -> None:
        """Kinds of synapses between neurons with their smallest exponent, and ways from the host."""
        views = lava_views(self.network)
        for connection in self.network.connections:
            kind, source = synapse_kind(self.network, connection, views), self.network[connection.source]
            if isinstance(source, Input):
                entry = _Entry(source, kind, connection.on_host, 0 if connection.on_host else connection.weight_exp)
                self.entries.setdefault(entry.name, entry)
            else:
                self.exponents[kind] = min(self.exponents.get(kind, 0), connection.weight_exp)

    def stages(self) -> Iterator[SmallNetwork]:
        kinds: list[SynapseKind] = list(self.exponents) or [next(iter(self.entries.values())).kind]
        for kind in kinds:
            yield self._silent(kind, self._chain(kind), 1)
        yield self._silent("reset", self._chain(next((kind for kind in kinds if kind != "delay"), "delay")), 3)
        for entry in self.entries.values():
            yield self._values(entry)

    def _silent(self, name: str, network: Network, samples: int) -> SmallNetwork:
        return SmallNetwork(name, network, np.zeros((samples, *network.input.shape)))

    def _chain(self, kind: SynapseKind) -> Network:
        """Two layers of neurons and a readout: the first is driven by its biases, and each layer is joined to the next by such synapses."""
        random, exponent = np.random.default_rng(len(kind)), self.exponents.get(kind, 0)
        image = kind == "convolution"
        shapes: list[Shape] = [(3, 3, 4), (3, 2, 2), (4,)] if image else [(7,), (6,), (4,)]
        vth = max(2, VTH_PER_SYNAPSE * (int(np.prod((3, *KERNELS[0]))) if image else 7) >> -exponent & ~1)
        entry = next((e for e in self.entries.values() if e.kind == kind), next(iter(self.entries.values())))
        populations = (
            self._input(entry),
            self._neurons(FIRST, shapes[0], DRIVEN_VTH, 3 * _cycle(1, 7, shapes[0])),
            self._neurons(SECOND, shapes[1], vth, vth // 4 * _cycle(-1, 2, shapes[1])),
            Readout(LAST, shapes[2], ZERO, ZERO),
        )
        joined = [
            Connection(SOURCE, FIRST, _into(entry.kind, shapes[0]), entry.on_host),
            Connection(FIRST, SECOND, _between(kind, shapes[0], shapes[1], KERNELS[0], random), weight_exp=exponent),
            Connection(SECOND, LAST, _between(kind, shapes[1], shapes[2], KERNELS[1], random), weight_exp=exponent),
        ]
        if kind == "delay":
            joined.append(Connection(FIRST, LAST, Dense(_weights((4, 7), random)), weight_exp=exponent))
        return self._network(populations, joined)

    def _values(self, entry: _Entry) -> SmallNetwork:
        """Every value from the host alone into its own potential of the readout."""
        source = self._input(entry)
        size, largest = source.size, source.payload_max
        linear = _alone(entry.kind, source.shape, min(2 << -entry.exponent, WEIGHT_MAX))
        populations = (source, Readout(LAST, (size,), ZERO, ZERO))
        values = np.round(np.linspace(-largest if source.signed else 0, largest, size)).reshape(source.shape)
        x = np.stack([values, values[::-1]] if entry.on_host else [values])
        return SmallNetwork(entry.name, self._network(populations, [Connection(SOURCE, LAST, linear, entry.on_host, entry.exponent)]), x)

    def _input(self, entry: _Entry) -> Input:
        source, shape = entry.source, IMAGE if entry.kind == "convolution" else (12,)
        return Input(SOURCE, shape, source.coding, float(source.payload_max), source.payload_max, signed=source.signed, seed=source.seed)

    def _neurons(self, name: str, shape: Shape, vth: int, bias: Array) -> IF:
        return IF(name, shape, vth, np.array(self.start, np.int32), (bias << STATE_SHIFT).astype(np.int32), self.reset)

    def _network(self, populations: tuple[Input | IF | Readout, ...], connections: list[Connection]) -> Network:
        record = replace(self.network.record, notes=())
        return Network(populations, tuple(connections), self.steps, True, self.network.board, record)


def _into(kind: SynapseKind, target: Shape) -> LinearMap:
    """From the host, which sends zeros, to the first layer of a chain, through such synapses."""
    size = int(np.prod(target))
    if kind == "convolution":
        return Conv(_same((3, 2, 3, 3)), padding=(1, 1, 1, 1)) if len(target) == 3 else Conv(_same((size, *IMAGE)))
    return from_matrix(_same((size, 12)), (size,), (12,)) if kind == "sparse" else Dense(_same((size, 12)))


def _alone(kind: SynapseKind, source: Shape, weight: int) -> LinearMap:
    """From each value of the host to a neuron of its own."""
    size = int(np.prod(source))
    each = weight * np.eye(size, dtype=np.int32)
    if kind == "convolution":
        return Conv(each.reshape(size, *source))
    return from_matrix(each, (size,), source) if kind == "sparse" else Dense(each)


def _same(shape: tuple[int, ...]) -> Array:
    return np.full(shape, 2, np.int32)


def _between(kind: SynapseKind, source: Shape, target: Shape, kernel: tuple[int, int], random: np.random.Generator) -> LinearMap:
    """Such synapses from one layer of a chain to the next."""
    weight = _weights((target[0], source[0], *(kernel if kind == "convolution" else ())), random)
    if kind == "convolution":
        return Conv(weight)
    if kind == "sparse":
        return from_matrix(np.where(np.arange(weight.size).reshape(weight.shape) % 3 == 0, 0, weight), target, source)
    return Dense(weight)


def _weights(shape: tuple[int, ...], random: np.random.Generator) -> Array:
    """Even weights of both signs over the whole range of 8 bits, more of them positive."""
    return (2 * random.integers(-60, 128, shape)).astype(np.int32)


def _cycle(low: int, high: int, shape: Shape) -> Array:
    """Whole numbers from low up to below high, again and again."""
    return (low + np.arange(int(np.prod(shape))) % (high - low)).reshape(shape)
