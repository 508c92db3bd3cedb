"""Where every neuron goes: populations are cut into slices, slices packed onto cores, cores numbered along the chips.

placement = place(network)            # or place(network, "nahuku32")
placement.cores, placement.chips, placement.bound, placement.violations
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from loihiconv.core.errors import InvalidSetting, LimitExceeded
from loihiconv.core.network import Network, check_network
from loihiconv.hardware.board import Board, load_board
from loihiconv.hardware.demand import Layer, Region, Synapses, placed, reach
from loihiconv.hardware.limits import network_violations, stuck
from loihiconv.hardware.packing import Bag, merge, next_fit
from loihiconv.hardware.partition import Choice, Cut, Search
from loihiconv.hardware.placement import LayerPlacement, Placement, Slice
from loihiconv.hardware.placement_limits import placement_violations
from loihiconv.hardware.places import Geometry
from loihiconv.hardware.synapse_memory import kernel_words


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
    check_network(network)
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
            n,
            layer.shape,
            layer.neurons,
            tuple(replace(s, core=core) for s, core in zip(sliced.get(n, ()), cores.get(n, ()), strict=True)),
            bounds[n],
            choices[n].cut.kind if n in choices else "",
            choices[n].alternatives if n in choices else {},
        )
        for n, layer in layers.items()
    )
    totals = {resource: int(-(-round(sum(b[resource] for b in bounds.values()), 9) // 1)) for resource in next(iter(bounds.values()))}
    placement = Placement(board, placed_layers, totals)
    found = (*network_violations(network, board), *(stuck(layers[n]) for n in search.impossible), *placement_violations(placement))
    return replace(placement, violations=found)


def require_fit(network: Network, board: Board) -> None:
    """Raise `LimitExceeded` with the first certain limit that a network breaks on a board; `loihiconv place` tells the uncertain ones."""
    certain = [violation for violation in place(network, board).violations if violation.certain]
    if certain:
        more = f" (and {len(certain) - 1} more)" if len(certain) > 1 else ""
        raise LimitExceeded(f"does not fit {board.title}: {certain[0]}{more}", where=network.board, remedy="see 'loihiconv place'")


def layer_bounds(layer: Layer) -> dict[str, float]:
    """Cores that a population needs at least, in fractions, by each resource alone.

    Neurons by their compartments; memory with every weight stored once and without overhead; input axons with every source
    pixel that is seen arriving once; output axons with every pixel sent once to each population that it feeds.
    """
    board, channels = layer.board, layer.shape[0]
    bits, word = board.weight_bits.value, board.synapse_word_bits.value
    arriving = sum(_arriving(s) for s in layer.synapses)
    leaving = sum(_leaving(s, channels) for s in layer.consumers)
    return {
        "neurons": layer.neurons * layer.per_neuron / board.neurons_per_core.value,
        "synapse_memory": sum(kernel_words(s.weights, weight_bits=bits, word_bits=word) for s in layer.synapses)
        / board.synapse_memory_words.value,
        "axons_in": arriving / board.input_axons_per_core.value,
        "axons_out": leaving / board.output_axons_per_core.value,
    }


def _arriving(synapses: Synapses) -> int:
    """Input axons of all source pixels, or neurons, that reach any target."""
    if synapses.places is not None:
        return synapses.axons_of(np.flatnonzero(synapses.seen(_all(synapses.target))))
    return _seen(synapses) * (1 if synapses.population_axons else synapses.source[0])


def _leaving(synapses: Synapses, channels: int) -> int:
    """Slots of output axons if a population of so many channels sent every pixel once."""
    if synapses.places is not None:
        target = _all(synapses.target)
        return reach(synapses, _all(synapses.source), ((target.channels,), (target.rows,), (target.columns,)))
    return _seen(synapses) * synapses.entries(channels, 1)


def _all(shape: Geometry) -> Region:
    """A whole population."""
    return Region((0, shape[0]), (0, shape[1]), (0, shape[2]))


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
