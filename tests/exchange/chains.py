"""Random networks that files of lava-dl can say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import assume

from loihiconv.backends.register_check import check_registers
from loihiconv.conversion.reset_to_zero import resets_to_zero
from loihiconv.core.errors import LoihiconvError
from loihiconv.core.network import IF, Network
from loihiconv.exchange.export_netx import check_netx
from loihiconv.lava.chip.lif import VTH_MAX
from tests.strategies import Case


def fitted(network: Network) -> Network:
    """A random network as the format could say it: reset to zero, a start at 0, biases in steps of 64, no exponents."""

    def change(p: IF) -> IF:
        return replace(p, reset="zero", v_init=np.zeros(1, np.int32), bias=p.bias // 64 * 64, vth=min(int(p.vth), VTH_MAX), payload_max=1)

    readout = replace(network.readout, v_init=np.zeros(1, np.int32), bias=network.readout.bias // 64 * 64, delay=0)
    populations = tuple(change(p) if isinstance(p, IF) else p for p in network.populations[:-1])
    connections = tuple(replace(c, weight_exp=0) for c in network.connections)
    return replace(network, populations=(*populations, readout), connections=connections)


def drawn(case: Case) -> Case:
    """The case's network if the format can say it, once its numbers are fitted."""
    try:
        network = fitted(case.network)
        check_netx(network)
        check_registers(network, "netx", case.x)
    except LoihiconvError:
        assume(False)
    assume(resets_to_zero(network, "netx"))
    return Case(network, case.x)
