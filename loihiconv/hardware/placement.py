"""Where every neuron goes: populations cut into slices, slices packed onto cores, cores numbered along the chips.

placement = place(network)            # or place(network, "nahuku32")
placement.cores, placement.chips, placement.bound, placement.violations
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.network import Network
from loihiconv.hardware.board import Board, load_board
from loihiconv.hardware.demand import Demand, Layer, Region, Synapses, placed, reach
from loihiconv.hardware.limits import Violation, network_violations, placement_violations, stuck
from loihiconv.hardware.packing import Bag, merge, next_fit
from loihiconv.hardware.partition import Choice, Cut, Search, share
from loihiconv.hardware.synapse_memory import kernel_words


@dataclass(frozen=True)
class Slice:
    """A part of a population on one core.

    Attributes
    ----------
    population : str
    core : int
        Counted over the whole board.
    region : Region
        Its channels, rows and columns.
    halo : bool
        Whether it keeps compartments around it; see `loihiconv.hardware.demand`.
    demand : Demand
    """

    population: str
    core: int
    region: Region
    halo: bool
    demand: Demand


@dataclass(frozen=True)
class LayerPlacement:
    """One population on its cores.

    Attributes
    ----------
    name : str
    shape : (C, H, W)
    neurons : int
    slices : tuple of Slice
    bounds : {resource: cores}
        Cores that it needs at least, by each resource alone.
    kind : str
        "whole", "channels", "spatial" or "mixed": how it was cut.
    alternatives : {kind: cores}
        The best cut of each kind by itself, in fractions of cores.
    """

    name: str
    shape: tuple[int, int, int]
    neurons: int
    slices: tuple[Slice, ...]
    bounds: Mapping[str, float]
    kind: str
    alternatives: Mapping[str, float]

    @property
    def cores(self) -> tuple[int, ...]:
        """Cores that hold a part of it; some may hold parts of other populations too."""
        return tuple(sorted({s.core for s in self.slices}))


@dataclass(frozen=True)
class Placement:
    """A network on a board.

    Attributes
    ----------
    board : Board
    layers : tuple of LayerPlacement
        All populations that take cores; those that fit no core have no slices.
    bounds : {resource: cores}
        Cores that the whole network needs at least, by each resource alone.
    violations : tuple of Violation
        What does not fit; empty if everything does.
    """

    board: Board
    layers: tuple[LayerPlacement, ...]
    bounds: Mapping[str, int]
    violations: tuple[Violation, ...] = ()

    def __getitem__(self, population: str) -> LayerPlacement:
        return next(layer for layer in self.layers if layer.name == population)

    @property
    def slices(self) -> Iterator[Slice]:
        """All slices of all populations."""
        return (s for layer in self.layers for s in layer.slices)

    @cached_property
    def usage(self) -> dict[int, Demand]:
        """What each core holds, in order."""
        usage: dict[int, Demand] = {}
        for s in self.slices:
            usage[s.core] = usage.get(s.core, Demand()) + s.demand
        return dict(sorted(usage.items()))

    @property
    def cores(self) -> int:
        """Cores in use."""
        return len(self.usage)

    @property
    def chips(self) -> int:
        """Chips in use."""
        return -(-self.cores // self.board.cores_per_chip.value)

    @property
    def bound(self) -> int:
        """Cores below which no placement can go: the largest of `bounds`."""
        return max(self.bounds.values(), default=0)

    @property
    def fits(self) -> bool:
        """Whether no limit that is certain stands in the way."""
        return not any(v.certain for v in self.violations)

    def utilisation(self, core: int) -> float:
        """Largest share of a resource that a core uses."""
        return share(self.usage[core], self.board)

    def to_json(self) -> dict[str, Any]:
        """The placement as JSON values."""
        return {
            "board": self.board.name,
            "cores": self.cores,
            "chips": self.chips,
            "bound": self.bound,
            "bounds": dict(self.bounds),
            "violations": [v.to_json() for v in self.violations],
            "layers": [self._layer_json(layer) for layer in self.layers],
        }

    def _layer_json(self, layer: LayerPlacement) -> dict[str, Any]:
        cores = []
        for core in layer.cores:
            parts = [s for s in layer.slices if s.core == core]
            demand = sum((s.demand for s in parts), Demand())
            cores.append(
                {
                    "core": core,
                    "slices": len(parts),
                    "neurons": sum(s.region.neurons for s in parts),
                    **vars(demand),
                    "utilisation": share(demand, self.board),
                }
            )
        return {
            "name": layer.name, "shape": list(layer.shape), "neurons": layer.neurons, "cut": layer.kind, "bounds": dict(layer.bounds),
            "alternatives": dict(layer.alternatives), "halo": any(s.halo for s in layer.slices), "cores": cores,
        }  # fmt: skip


def place(network: Network, board: str | Path | Board | None = None) -> Placement:
    """Distribute a network over a board's cores, on as few as can be found.

    Parameters
    ----------
    network : Network
        Float or fixed point: only shapes count for the cores, and numbers for `Placement.violations`.
    board : str, path, Board or None
        None takes the board that the network was quantized for.

    Returns
    -------
    Placement
        Also where something does not fit: `Placement.violations` says what.
    """
    if board is None and not network.board:
        raise InvalidSetting("no board given", where="board", limit="the network was not quantized for one", remedy="name one")
    board = load_board(board if board is not None else network.board)
    layers = {p.name: Layer(network, p.name, board) for p in placed(network)}
    bounds = {name: layer_bounds(layer) for name, layer in layers.items()}
    search = Search(network, layers, {n: max(1, *(int(-(-b // 1)) for b in bound.values())) for n, bound in bounds.items()}, board)
    choices = search.run()
    sliced = {n: _demands(search, layers[n], choice.cut, choices) for n, choice in choices.items()}
    cores = _pack(sliced, board)
    placed_layers = tuple(
        LayerPlacement(
            n, layer.shape, layer.neurons,
            tuple(replace(s, core=core) for s, core in zip(sliced.get(n, ()), cores.get(n, ()), strict=True)),
            bounds[n], choices[n].cut.kind if n in choices else "", choices[n].alternatives if n in choices else {},
        )
        for n, layer in layers.items()
    )  # fmt: skip
    totals = {resource: int(-(-round(sum(b[resource] for b in bounds.values()), 9) // 1)) for resource in next(iter(bounds.values()))}
    placement = Placement(board, placed_layers, totals)
    found = (*network_violations(network, board), *(stuck(layers[n]) for n in search.impossible), *placement_violations(placement))
    return replace(placement, violations=found)


def layer_bounds(layer: Layer) -> dict[str, float]:
    """Cores that a population needs at least, in fractions, by each resource alone.

    Neurons by their compartments; memory with every weight stored once and without overhead; input axons with every source
    pixel that is seen arriving once; output axons with every pixel sent once to each population that it feeds.
    """
    board, channels = layer.board, layer.shape[0]
    bits, word = board.weight_bits.value, board.synapse_word_bits.value
    arriving = sum(_seen(s) * (1 if s.population_axons else s.source[0]) for s in layer.synapses)
    leaving = sum(_seen(s) * s.entries(channels, 1) for s in layer.consumers)
    return {
        "neurons": layer.neurons * layer.per_neuron / board.neurons_per_core.value,
        "synapse_memory": sum(kernel_words(s.weights, weight_bits=bits, word_bits=word) for s in layer.synapses)
        / board.synapse_memory_words.value,
        "axons_in": arriving / board.input_axons_per_core.value,
        "axons_out": leaving / board.output_axons_per_core.value,
    }


def _seen(synapses: Synapses) -> int:
    """Source pixels that reach any target."""
    if synapses.conv is None:
        return synapses.source[1] * synapses.source[2]
    return synapses.pixels(0, (0, synapses.target[1]), (0, synapses.source[1])) * synapses.pixels(
        1, (0, synapses.target[2]), (0, synapses.source[2])
    )


def _demands(search: Search, layer: Layer, cut: Cut, choices: Mapping[str, Choice]) -> list[Slice]:
    """All slices of a population with what each demands, output axons included; not yet on a core."""
    consumers = [(s, choices[s.connection.target].cut.regions) for s in search.consumers[layer.name] if s.connection.target in choices]
    slices = []
    for region in cut:
        demand = layer.demand(region, halo=cut.halo)
        out = sum(reach(s, region, regions) for s, regions in consumers)
        slices.append(Slice(layer.name, -1, region, cut.halo, replace(demand, axons_out=out)))
    return slices


def _pack(sliced: Mapping[str, list[Slice]], board: Board) -> dict[str, list[int]]:
    """The core of each slice: slices of one population side by side, remainders of several together."""
    bags: list[Bag] = []
    for name, slices in sliced.items():
        bags += next_fit(name, [s.demand for s in slices], board)
    cores: dict[str, list[int]] = {name: [-1] * len(slices) for name, slices in sliced.items()}
    for core, bag in enumerate(merge(bags, board)):
        for name, index in bag.slices:
            cores[name][index] = core
    return cores
