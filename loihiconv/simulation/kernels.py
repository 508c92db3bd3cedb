"""Which kernel does which connection of a network."""

from __future__ import annotations

import torch

from loihiconv.errors import LimitExceeded
from loihiconv.linear import Conv
from loihiconv.network import IF, Connection, MaxPool, Network
from loihiconv.simulation.depthwise import Depthwise
from loihiconv.simulation.int8 import Int8Matmul
from loihiconv.simulation.synapses import EXACT_FLOAT32, Synapses


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

    Raises
    ------
    LimitExceeded
        If sums could be too large to be exact.
    """

    def __init__(self, network: Network, device: torch.device, *, portable: bool) -> None:
        self.synapses: dict[Connection, Synapses] = {
            c: Synapses(network, c, device, portable=portable)
            for c in network.connections
            if not c.on_host and not isinstance(network[c.target], MaxPool)
        }
        self.depthwise: dict[str, Depthwise] = {}
        self.products: dict[str, Int8Matmul] = {}
        if network.fixed_point:
            self._check_sums(network)
        if not portable:
            self._find_special(network)

    def _find_special(self, network: Network) -> None:
        """For populations behind nothing but one connection that binary spikes cross."""
        for population in network.populations:
            incoming = network.incoming(population.name)
            if not isinstance(population, IF) or len(incoming) != 1 or not (source := network[incoming[0].source]).spiking:
                continue
            if source.largest_message > 1 or population.payload_max > 1:
                continue
            linear = incoming[0].map
            if isinstance(linear, Conv) and len(population.shape) == 3 and Depthwise.fits(linear):
                self.depthwise[population.name] = Depthwise(linear, source.shape, population.shape)
            elif (product := self.synapses[incoming[0]].matmul) is not None:
                self.products[population.name] = product

    def _check_sums(self, network: Network) -> None:
        """Sums over all connections into a population must be exact, as those over one are."""
        for population in network.populations:
            total = sum(self.synapses[c].largest for c in network.incoming(population.name) if c in self.synapses)
            if total >= EXACT_FLOAT32:
                raise LimitExceeded(
                    f"the sum of |weight x payload| over all connections can reach {total}", where=population.name,
                    limit=f"below 2^24 = {EXACT_FLOAT32} for exact sums", remedy="scale the weights down",
                )  # fmt: skip
