"""A network's populations on as few cores as can be found: the best cuts, and slices of several populations packed together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from loihiconv.core.network import Network
from loihiconv.hardware.board import Board
from loihiconv.hardware.cuts import Cut
from loihiconv.hardware.demand import Layer
from loihiconv.hardware.limits import Violation, stuck
from loihiconv.hardware.packing import Bag, merge, next_fit
from loihiconv.hardware.partition import Choice, Search
from loihiconv.hardware.placement import LayerPlacement, Slice
from loihiconv.hardware.region import SMALLEST
from loihiconv.hardware.synapses import reach


def searched_layers(
    network: Network, layers: Mapping[str, Layer], bounds: Mapping[str, dict[str, float]], board: Board
) -> tuple[list[LayerPlacement], list[Violation]]:
    """All populations on their cores; those that cannot be cut have no slices, and a violation says why."""
    search = Search(network, dict(layers), {n: max(1, *(int(-(-b // 1)) for b in bound.values())) for n, bound in bounds.items()}, board)
    choices = search.run()
    sliced = {n: _demands(search, layers[n], choice.cut, choices) for n, choice in choices.items()}
    cores = _pack(sliced, board)
    parts = [
        LayerPlacement(
            n,
            layer.shape,
            layer.neurons,
            tuple(replace(s, core=core) for s, core in zip(sliced.get(n, ()), cores.get(n, ()), strict=True)),
            bounds[n],
            choices[n].cut.kind if n in choices else "",
            choices[n].alternatives if n in choices else {},
        )
        for n, layer in layers.items()
    ]
    return parts, [stuck(layers[n], layers[n].demand(SMALLEST, halo=False)) for n in search.impossible]


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
