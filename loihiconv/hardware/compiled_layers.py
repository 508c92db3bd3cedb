"""A network's populations on cores as Intel's compiler cuts them: a core for each slice, one population after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

from loihiconv.hardware.board_fields import Compiler
from loihiconv.hardware.compiler import Compiled
from loihiconv.hardware.cuts import kind_of
from loihiconv.hardware.demand import Layer
from loihiconv.hardware.limits import Violation, stuck
from loihiconv.hardware.placement import LayerPlacement, Slice
from loihiconv.hardware.region import SMALLEST, Region, Regions
from loihiconv.hardware.synapses import reach


def compiled_layers(
    layers: Mapping[str, Layer], bounds: Mapping[str, dict[str, float]], compiler: Compiler
) -> tuple[list[LayerPlacement], list[Violation]]:
    """All populations on their cores; those that cannot be cut have no slices, and a violation says why."""
    compiled = {name: Compiled(layer, compiler) for name, layer in layers.items()}
    regions = {name: found for name, one in compiled.items() if (found := one.regions) is not None}
    parts: list[LayerPlacement] = []
    first = 0
    for name, layer in layers.items():
        slices = tuple(_slices(compiled[name], regions, first)) if name in regions else ()
        first += len(slices)
        kind = kind_of(*map(len, regions[name])) if name in regions else ""
        parts.append(LayerPlacement(name, layer.shape, layer.neurons, slices, bounds[name], kind, {}))
    return parts, [stuck(layers[name], one.demand(SMALLEST)) for name, one in compiled.items() if name not in regions]


def _slices(one: Compiled, regions: Mapping[str, Regions], first: int) -> list[Slice]:
    """A population's slices on the cores from ``first`` on, with their output axons onto the slices of all that it feeds."""
    layer = one.layer
    channels, rows, columns = regions[layer.name]
    consumers = [(s, regions[s.connection.target]) for s in layer.consumers if s.connection.target in regions]
    slices = []
    for core, (r, w, c) in enumerate(product(rows, columns, channels), first):
        region = Region(c, r, w)
        out = sum(reach(s, region, targets) for s, targets in consumers)
        slices.append(Slice(layer.name, core, region, False, replace(one.demand(region), axons_out=out)))
    return slices
