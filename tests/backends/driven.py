"""One input that drives neurons as hard as is asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihiconv.core.linear import Dense
from loihiconv.core.network import Connection, Network
from tests.lava.small import chain


def driven(*, timesteps: int, vth: int, weight: int, v_init: int = 0, bias: int = 0) -> Network:
    """One input of up to 255 -> 3 neurons -> readout that is not moved."""
    base = chain(timesteps=timesteps, inputs=1, weight=weight, v_init=v_init, bias=bias)
    hidden = replace(base.populations[1], vth=vth)
    silent = Connection("hidden", "readout", Dense(np.zeros((2, 3), np.int32)))
    return replace(base, populations=(base.populations[0], hidden, base.populations[2]), connections=(base.connections[0], silent))
