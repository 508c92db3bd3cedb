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
KERNELS = ((3, 3), (2, 3), (2, 2))
"""Heights and widths in a chain of convolutions over it."""


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


class _Maker:
    def __init__(self, network: Network, realization: Realization) -> None:
        self.network, self.steps = network, min(max(network.timesteps, STEPS[0]), STEPS[1])
        spiking = next((p for p in network.layers if isinstance(p, IF)), None)
        self.reset = spiking.reset if spiking else "zero" if realization in TO_ZERO else "subtract"
        self.start = 0 if realization in AT_ONCE else 5 << STATE_SHIFT
        self.exponents: dict[SynapseKind, int] = {}
        self.entries: dict[str, Input] = {}
        self._survey()

    def _survey(self) -> None:
        """Kinds of synapses between neurons with their smallest exponent, and ways from the host."""
        network, views = self.network, lava_views(self.network)
        for connection in network.connections:
            kind = synapse_kind(network, connection, views)
            source = network[connection.source]
            if not isinstance(source, Input):
                self.exponents[kind] = min(self.exponents.get(kind, 0), connection.weight_exp)
            elif connection.on_host:
                self.entries.setdefault("biases", source)
            else:
                into = "convolution" if kind == "convolution" else "dense"
                self.entries.setdefault(f"{into}-{'spikes' if source.spiking else 'payloads'}", source)

    def stages(self) -> Iterator[SmallNetwork]:
        between: list[Network] = []
        for kind in self.exponents or {"dense": 0}:
            small = self._chain(kind)
            if kind != "delay":
                between.append(small)
            yield self._silent(kind, small, 1)
        yield self._silent("reset", (between or [self._chain("dense")])[0], 3)
        for name, entry in self.entries.items():
            yield self._entry(name, entry)

    def _silent(self, name: str, network: Network, samples: int) -> SmallNetwork:
        return SmallNetwork(name, network, np.zeros((samples, *network.input.shape)))

    def _chain(self, kind: SynapseKind) -> Network:
        """Two layers of neurons and a readout: the first is driven by its biases, and each layer is joined to the next by such synapses."""
        random, exponent = np.random.default_rng(len(kind)), self.exponents.get(kind, 0)
        image = kind == "convolution"
        shapes: list[Shape] = [IMAGE, (3, 3, 4), (3, 2, 2), (4,)] if image else [(2,), (7,), (6,), (4,)]
        maps = [_between(kind, place, shapes[place], shapes[place + 1], random) for place in range(3)]
        fan_in = int(np.prod((3, *KERNELS[1]))) if image else 7
        vth = max(2, VTH_PER_SYNAPSE * fan_in >> -exponent & ~1)
        populations = (
            self._input(shapes[0]),
            self._neurons(FIRST, shapes[1], DRIVEN_VTH, 3 * _cycle(1, 7, shapes[1])),
            self._neurons(SECOND, shapes[2], vth, vth // 4 * _cycle(-1, 2, shapes[2])),
            Readout(LAST, shapes[3], ZERO, ZERO),
        )
        names = [p.name for p in populations]
        joined = [self._connection(names[place], names[place + 1], maps[place], exponent if place else 0) for place in range(3)]
        if kind == "delay":
            joined.append(self._connection(FIRST, LAST, Dense(_weights((4, 7), random)), exponent))
        return self._network(populations, joined)

    def _entry(self, name: str, entry: Input) -> SmallNetwork:
        """Every value from the host alone into its own potential of the readout."""
        image = name.startswith("convolution")
        shape: Shape = IMAGE if image else (12,)
        size = int(np.prod(shape))
        weight = 2 * np.eye(size, dtype=np.int32)
        linear: LinearMap = Conv(weight.reshape(size, *shape)) if image else Dense(weight)
        populations = (self._input(shape, entry), Readout(LAST, (size,), ZERO, ZERO))
        largest = entry.payload_max
        values = np.round(np.linspace(-largest if entry.signed else 0, largest, size)).reshape(shape)
        x = np.stack([values, values[::-1]] if name == "biases" else [values])
        return SmallNetwork(name, self._network(populations, [self._connection(SOURCE, LAST, linear, 0)]), x)

    def _input(self, shape: Shape, entry: Input | None = None) -> Input:
        entry = entry or next(iter(self.entries.values()))
        return Input(SOURCE, shape, entry.coding, float(entry.payload_max), entry.payload_max, signed=entry.signed, seed=entry.seed)

    def _neurons(self, name: str, shape: Shape, vth: int, bias: Array) -> IF:
        return IF(name, shape, vth, np.array(self.start, np.int32), (bias << STATE_SHIFT).astype(np.int32), self.reset)

    def _connection(self, source: str, target: str, linear: LinearMap, exponent: int) -> Connection:
        return Connection(source, target, linear, source == SOURCE and "biases" in self.entries, exponent)

    def _network(self, populations: tuple[Input | IF | Readout, ...], connections: list[Connection]) -> Network:
        record = replace(self.network.record, notes=())
        return Network(populations, tuple(connections), self.steps, True, self.network.board, record)


def _between(kind: SynapseKind, place: int, source: Shape, target: Shape, random: np.random.Generator) -> LinearMap:
    """The map at a place of a chain; at the first, where the host sends zeros, with small weights."""
    shape = (target[0], source[0], *(KERNELS[place] if kind == "convolution" else ()))
    weight = _weights(shape, random) if place else np.full(shape, 2, np.int32)
    if kind == "convolution":
        return Conv(weight, padding=(0, 0, 0, 0) if place else (1, 1, 1, 1))
    if kind == "sparse" and place:
        return from_matrix(np.where(np.arange(weight.size).reshape(shape) % 3 == 0, 0, weight), target, source)
    return Dense(weight)


def _weights(shape: tuple[int, ...], random: np.random.Generator) -> Array:
    """Even weights of both signs over the whole range of 8 bits, more of them positive."""
    return (2 * random.integers(-60, 128, shape)).astype(np.int32)


def _cycle(low: int, high: int, shape: Shape) -> Array:
    """Whole numbers from low up to below high, again and again."""
    return (low + np.arange(int(np.prod(shape))) % (high - low)).reshape(shape)
