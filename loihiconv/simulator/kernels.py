"""Which kernel does which connection of a network."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch

from loihiconv.core.bounds import worst_cases
from loihiconv.core.linear import Conv, Dense, LinearMap, Sparse
from loihiconv.core.network import IF, V_MAX, Connection, Integrator, Network, assert_never
from loihiconv.core.validation import check_exact_sums, driven_by_host
from loihiconv.simulator.crossover import costs
from loihiconv.simulator.depthwise import Depthwise
from loihiconv.simulator.events import EventSums, Incoming
from loihiconv.simulator.int8 import Int8Matmul
from loihiconv.simulator.synapses import Synapses


class Kernels:
    """The connections of a network, ready to run on a device.

    Parameters
    ----------
    network : Network
    device : torch.device
    portable : bool
        Use torch's operations alone.

    Attributes
    ----------
    synapses : {Connection: Synapses}
        Of all connections but those that the host computes and those into gates.
    depthwise : {population: Depthwise}
        Populations whose sums and spikes are made in one pass.
    products : {population: Int8Matmul}
        Populations whose sums are made in small pieces.
    watched : set of str
        Populations whose potentials could reach the ends of their registers: in the worst case over all inputs, or by what the host loads.
    events : {population: EventSums}
        Populations whose sums events can drive: always in float networks, where they are fewer than `by_events` allows in fixed point.

    Raises
    ------
    LimitExceeded
        If sums could be too large to be exact.
    """

    def __init__(self, network: Network, device: torch.device, *, portable: bool) -> None:
        self.watched: set[str] = set()
        if network.fixed_point:
            for population in network.layers:
                check_exact_sums(network, population)
            worst = worst_cases(network)
            self.watched = {name for name, most in worst.items() if most.v >= V_MAX or driven_by_host(network, name)}
        self.synapses: dict[Connection, Synapses] = {
            c: Synapses(network, c, device, portable=portable)
            for c in network.connections
            if not c.on_host and isinstance(network[c.target], Integrator)
        }
        self.depthwise: dict[str, Depthwise] = {}
        self.products: dict[str, Int8Matmul] = {}
        self.events: dict[str, EventSums] = {}
        self.network = network
        if not portable:
            self._find_special(network)

    def by_events(self, name: str, spikes: Sequence[torch.Tensor]) -> bool:
        """Whether events should drive the sums of a population, given the spikes (rows, units) that cross each of its connections."""
        if (events := self.events.get(name)) is None:
            return False
        if not self.network.fixed_point:
            return True
        incoming, target = self.network.incoming(name), self.network[name].shape

        def product(*rows: torch.Tensor) -> None:
            for connection, s in zip(incoming, rows, strict=True):
                self.synapses[connection](s)

        key = (target, events.kind, *((*_geometry(c.map), self.network[c.source].shape, self.synapses[c].int8 is None) for c in incoming))
        cost = costs(key, product, events, [prod(self.network[c.source].shape) for c in incoming], prod(target))
        return cost.favour_events(*spikes)

    def _find_special(self, network: Network) -> None:
        """For integrate-and-fire neurons that nothing but spikes drives; all others take the general way."""
        for population in network.populations:
            incoming = network.incoming(population.name)
            if not isinstance(population, IF) or not all(network[c.source].spiking and not c.on_host for c in incoming):
                continue
            if any(c.weight_exp for c in incoming):  # each connection's sum is shifted by itself, which these ways do not
                continue
            sources = [network[c.source] for c in incoming]
            maps, binary = [c.map for c in incoming], not population.graded and not any(s.graded for s in sources)
            if binary and len(population.shape) == 3 and Depthwise.fits(maps):
                self.depthwise[population.name] = Depthwise(maps, [s.shape for s in sources], population.shape)
                continue
            if len(incoming) == 1 and (product := self.synapses[incoming[0]].matmul) is not None:
                self.products[population.name] = product
            if all(EventSums.fits(c.map, s.shape, population.shape) for c, s in zip(incoming, sources, strict=True)):
                parts = [
                    Incoming(c.map, s.shape, s.largest_message, s.smallest_message < 0) for c, s in zip(incoming, sources, strict=True)
                ]
                self.events[population.name] = EventSums(parts, population.shape, network.shift)


def _geometry(linear: LinearMap) -> tuple[object, ...]:
    """What a product's cost depends on beside the shape of its input."""
    match linear:
        case Conv():
            return linear.weight.shape, linear.stride, linear.padding, linear.dilation, linear.groups
        case Dense() | Sparse():
            return type(linear), linear.weight.shape
        case _:
            assert_never(linear)
