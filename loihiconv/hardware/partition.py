"""How to cut each population into slices, so that the network takes few cores.

A cut splits a population into boxes of nearly equal size: so many parts of its channels, rows and columns. Cutting channels
only makes every slice read all source pixels; cutting space only makes every slice hold all weights; mixed cuts
trade one for the other. Which is best depends on the neighbours too: a slice needs an output axon for each pixel and each slice that the
pixel reaches, so what one population gains by cutting finer, the population before it may lose.

The search is deterministic and has three steps:

1. Per population, all cuts whose slices fit a core, with and without halo; of these the Pareto front of (cores by themselves,
   output axons that it imposes on its sources, pixels per core).
2. Dynamic programming along the network, over pairs of neighbours, on cores needed with the output axons counted.
3. Sweeps that change one population's cut at a time while that lowers the total, with all its neighbours counted: skips too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import inf

from loihiconv.core.network import Network
from loihiconv.hardware.board import Board
from loihiconv.hardware.cuts import Cut, cores_in_fractions, cuts
from loihiconv.hardware.demand import Demand, Layer, share
from loihiconv.hardware.synapses import Synapses, reach
from loihiconv.hardware.views import Interval

FRONT = 40
"""Most cuts per population that the search compares with those of its neighbours."""
SWEEPS = 6


@dataclass(frozen=True)
class Choice:
    """What the search found for one population.

    Attributes
    ----------
    cut : Cut
    cores : float
        Cores in fractions.
    alternatives : {kind of cut: cores}
        The best of each kind by itself, without output axons.
    """

    cut: Cut
    cores: float
    alternatives: dict[str, float]


class Search:
    """The cuts of all populations of a network.

    Parameters
    ----------
    network : Network
    layers : {name: Layer}
        Populations that take cores, in topological order.
    bounds : {name: int}
        Cores that each needs at least.
    board : Board
    """

    def __init__(self, network: Network, layers: dict[str, Layer], bounds: dict[str, int], board: Board) -> None:
        self.layers, self.board = layers, board
        self.consumers = {name: [s for s in layer.consumers if s.connection.target in layers] for name, layer in layers.items()}
        self.sources = {n: [c.source for c in network.incoming(n) if c.source in layers] for n in layers}
        self.slots, self.most = cache(self._slots), cache(self._most)
        every = {name: cuts(layer, bounds[name]) for name, layer in layers.items()}
        self.impossible = [name for name, options in every.items() if not options]
        self.alternatives = {name: self._by_kind(options) for name, options in every.items()}
        self.options = {name: self._front(name, options) for name, options in every.items()}

    def run(self) -> dict[str, Choice]:
        """The best cut of each population; those that cannot be cut at all are left out."""
        chosen = self._along()
        for _ in range(SWEEPS):
            if not self._sweep(chosen):
                break
        return {n: Choice(c, self.cost(n, c, chosen), self.alternatives[n]) for n, c in chosen.items()}

    def cost(self, name: str, cut: Cut, chosen: dict[str, Cut]) -> float:
        """Cores in fractions, the output axons onto the chosen cuts of all consumers counted."""
        consumers = [(s, chosen.get(s.connection.target)) for s in self.consumers[name]]
        out = sum(self.slots(s, cut, target) for s, target in consumers if target is not None)
        return cores_in_fractions(cut.slices, share(cut.worst, self.board, out))

    def _slots(self, synapses: Synapses, source: Cut, target: Cut) -> int:
        """Most output axon slots that a slice of the source needs onto all slices of the target."""
        if synapses.places is not None:
            return max(reach(synapses, region, target.regions) for region in source)
        slots = max(synapses.messages(c, target.regions[0]) for c in source.regions[0])
        for axis in (0, 1):
            slots *= self.most(synapses, axis, source.regions[axis + 1], target.regions[axis + 1])
        return slots

    def _most(self, synapses: Synapses, axis: int, source: tuple[Interval, ...], target: tuple[Interval, ...]) -> int:
        return max(synapses.copies(axis, s, target) for s in source)

    def _imposed(self, name: str, cut: Cut) -> int:
        """Slots that a cut would cost its sources if they lay on a single core: how finely it reads."""
        total = 0
        for synapses in self.layers[name].synapses:
            whole = Cut((1, 1, 1), False, (((0, synapses.source[0]),), ((0, synapses.source[1]),), ((0, synapses.source[2]),)), Demand())
            total += self._slots(synapses, whole, cut)
        return total

    def _front(self, name: str, options: list[Cut]) -> list[Cut]:
        """The Pareto front of (cores by itself, slots imposed on sources, pixels per core), at most `FRONT` cuts."""
        keyed = [
            (round(self._alone(c), 6), self._imposed(name, c), round(c.pixels / share(c.worst, self.board), 6), c.slices, c)
            for c in options
        ]
        front: list[tuple[float, int, float, int, Cut]] = []
        for key in sorted(keyed, key=lambda k: k[:4]):
            if not any(f[1] <= key[1] and f[2] <= key[2] for f in front):
                front.append(key)
        step = max(1.0, len(front) / FRONT)
        return [front[int(i * step)][-1] for i in range(int(len(front) / step))]

    def _alone(self, cut: Cut) -> float:
        return cores_in_fractions(cut.slices, share(cut.worst, self.board))

    def _by_kind(self, options: list[Cut]) -> dict[str, float]:
        best: dict[str, float] = {}
        for cut in options:
            best[cut.kind] = min(best.get(cut.kind, inf), self._alone(cut))
        return dict(sorted(best.items()))

    def _along(self) -> dict[str, Cut]:
        """Best cuts if each population had one consumer, the next that follows it."""
        names = [n for n in self.layers if n not in self.impossible]
        behind: dict[str, list[tuple[float, Cut | None]]] = {}
        follower = {n: next((s for s in self.consumers[n] if s.connection.target in names), None) for n in names}
        claimed: dict[str, str] = {}
        for name in names:
            source = next((s for s in reversed(self.sources[name]) if s in names and s not in claimed.values()), None)
            behind[name] = []
            if source is not None and (synapses := follower[source]) is not None and synapses.connection.target == name:
                claimed[name] = source
                totals = [total for total, _ in behind[source]]
                for cut in self.options[name]:
                    pairs = [self._pair(synapses, s, cut) + t for s, t in zip(self.options[source], totals, strict=True)]
                    best = min(range(len(pairs)), key=pairs.__getitem__)
                    behind[name].append((pairs[best], self.options[source][best]))
            else:
                behind[name] = [(0.0, None)] * len(self.options[name])
        chosen: dict[str, Cut] = {}
        for name in reversed(names):
            if name not in chosen:
                totals = [t + self._alone(cut) for (t, _), cut in zip(behind[name], self.options[name], strict=True)]
                chosen[name] = self.options[name][min(range(len(totals)), key=totals.__getitem__)]
            previous = behind[name][self.options[name].index(chosen[name])][1]
            if name in claimed and previous is not None:
                chosen[claimed[name]] = previous
        return {name: chosen[name] for name in names}

    def _pair(self, synapses: Synapses, source: Cut, target: Cut) -> float:
        return cores_in_fractions(source.slices, share(source.worst, self.board, self.slots(synapses, source, target)))

    def _sweep(self, chosen: dict[str, Cut]) -> bool:
        """Change one cut at a time, its sources' cuts with it, where that lowers the sum of cores; whether any did."""
        changed = False
        for name in reversed(list(chosen)):
            neighbourhood = {name, *(s for s in self.sources[name] if s in chosen)}
            neighbourhood |= {g for s in neighbourhood for g in self.sources[s] if g in chosen}
            before = best = self._sum(neighbourhood, chosen)
            found: dict[str, Cut] = {}
            for cut in self.options[name]:
                trial = {**chosen, name: cut}
                for source in self.sources[name]:
                    if source in trial:
                        trial[source] = min(self.options[source], key=lambda c, s=source: self._with_sources(s, c, trial))  # type: ignore[misc]
                if (total := self._sum(neighbourhood, trial)) < best - 1e-9:
                    best, found = total, trial
            if best < before - 1e-9:
                chosen.update(found)
                changed = True
        return changed

    def _with_sources(self, name: str, cut: Cut, chosen: dict[str, Cut]) -> float:
        trial = {**chosen, name: cut}
        return self._sum({name, *(s for s in self.sources[name] if s in chosen)}, trial)

    def _sum(self, names: set[str], chosen: dict[str, Cut]) -> float:
        """Sum of cores; what does not fit at all counts as a great many, so that less of it is better."""
        return sum(min(self.cost(n, chosen[n], chosen), 1e6) for n in sorted(names))
