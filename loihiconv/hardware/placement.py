"""A network on a board: populations cut into slices, slices on cores, cores numbered along the chips. Data; `place` makes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from loihiconv.core import numbers as n
from loihiconv.core.tables import Shown, Table
from loihiconv.hardware.board import Board
from loihiconv.hardware.demand import Demand, share
from loihiconv.hardware.limits import Violation
from loihiconv.hardware.region import Region


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


MOST_SHARED = 5
"""Groups of layers on shared cores that are named."""
CUT = "cut as Intel's compiler does, whose tables are public; that is what has to fit"
HEADER = ("layer", "shape", "cut", "cores", "bound", "neurons", "words", "axons", "fullest")
"""Axons are those that come in. All of it, nine figures wide, fits a terminal of 80 columns."""


@dataclass(frozen=True)
class Placement(Shown):
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

    @property
    def unplaced(self) -> tuple[str, ...]:
        """Populations that fit no core."""
        return tuple(layer.name for layer in self.layers if not layer.slices)

    def tables(self) -> tuple[Table, ...]:
        title = f"{self.board.title}: each layer, and the most that one core holds of it"
        return (Table(title, HEADER, [self._row(layer) for layer in self.layers]),)

    def remarks(self) -> tuple[str, ...]:
        cores = f"{n.count(self.cores)} core{'s' * (self.cores != 1)}"
        chips = f"{n.count(self.chips)} of {n.count(self.board.chips.value)} chips"
        bounds = ", ".join(f"{name.replace('_', ' ')} {n.count(cores)}" for name, cores in self.bounds.items())
        apart = f"without {', '.join(self.unplaced)}, which no core holds"
        above = apart if self.unplaced else f"{n.count(self.cores - self.bound)} above the bound"
        return (
            f"{cores} on {chips}, {above}",
            *self._shared(),
            *([CUT] if self.board.compiler is not None else []),
            f"no cut can take fewer than, by resource: {bounds}",
            *(f"{'✗' if violation.certain else '?'} {violation}" for violation in self.violations),
        )

    def _shared(self) -> Iterator[str]:
        """Which layers have cores in common, so that cores of layers add up to more than there are."""
        groups: dict[int, list[str]] = {}
        for layer in self.layers:
            for core in layer.cores:
                groups.setdefault(core, []).append(layer.name)
        shared = Counter(tuple(names) for names in groups.values() if len(names) > 1)
        if shared:
            said = [f"{n.count(k)} core{'s' * (k > 1)} by {' and '.join(names)}" for names, k in shared.most_common(MOST_SHARED)]
            more = f", and {len(shared) - MOST_SHARED} more" if len(shared) > MOST_SHARED else ""
            yield f"shared: {', '.join(said)}{more}"

    def _row(self, layer: LayerPlacement) -> list[str]:
        shape = n.size(layer.shape, "x")
        if not layer.slices:
            return [layer.name, shape, "", "", *[""] * 5]
        held: dict[int, Demand] = {}
        neurons: dict[int, int] = {}
        for s in layer.slices:
            held[s.core] = held.get(s.core, Demand()) + s.demand
            neurons[s.core] = neurons.get(s.core, 0) + s.region.neurons
        most = [max(neurons.values()), *(max(getattr(d, name) for d in held.values()) for name in ("words", "axons_in"))]
        fullest = max(self.utilisation(core) for core in layer.cores)
        cores = [n.count(len(layer.cores)), n.decimal(max(layer.bounds.values()), 1)]
        return [layer.name, shape, layer.kind, *cores, *map(n.count, most), n.share(fullest, 0)]

    def __repr__(self) -> str:
        answer = "fits" if self.fits else "does not fit"
        return f"<Placement, {answer} {self.board.title}: {n.count(self.cores)} of {n.count(self.board.cores)} cores>"

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
        """Cores below which no placement can go, and so what a better cut could reach at most: the largest of `bounds`."""
        return max(self.bounds.values(), default=0)

    @property
    def fits(self) -> bool:
        """Whether no limit that is certain stands in the way."""
        return not any(v.certain for v in self.violations)

    def utilisation(self, core: int) -> float:
        """Largest share of a resource that a core uses."""
        return share(self.usage[core], self.board)

    def brief(self) -> dict[str, Any]:
        """What it comes to, without what each core holds, as JSON values."""
        totals = {name: getattr(self, name) for name in ("cores", "chips", "bound", "fits")}
        layers = {layer.name: len(layer.cores) for layer in self.layers}
        return {"board": self.board.name, **totals, "violations": [str(v) for v in self.violations], "layers": layers}

    def to_json(self) -> dict[str, Any]:
        """The placement as JSON values."""
        return {
            "board": self.board.name,
            "cut_by": "search" if self.board.compiler is None else "compiler",
            "cores": self.cores,
            "chips": self.chips,
            "bound": self.bound,
            "bounds": dict(self.bounds),
            "violations": [v.to_json() for v in self.violations],
            "layers": [self._layer_json(layer) for layer in self.layers],
        }

    def _layer_json(self, layer: LayerPlacement) -> dict[str, Any]:
        cores, held = [], dict[int, list[Slice]]()
        for each in layer.slices:
            held.setdefault(each.core, []).append(each)
        for core, parts in sorted(held.items()):
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
            "name": layer.name,
            "shape": list(layer.shape),
            "neurons": layer.neurons,
            "cut": layer.kind,
            "bounds": dict(layer.bounds),
            "alternatives": dict(layer.alternatives),
            "halo": any(s.halo for s in layer.slices),
            "cores": cores,
        }
