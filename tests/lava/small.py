"""Hand-made networks for the tests of this room."""

from __future__ import annotations

import numpy as np

from loihiconv.core.linear import Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout


def chain(*, timesteps: int = 8, weight: int = 100, inputs: int = 4, reset: str = "subtract", bias: int = 0, v_init: int = 0) -> Network:
    """Input -> 3 neurons with threshold 500 -> 2 readouts, all weights equal."""
    populations = (
        Input("input", (inputs,), payload_max=255, scale=255.0),
        IF("hidden", (3,), 500, np.array(v_init, np.int32), np.array(bias, np.int32), reset),  # type: ignore[arg-type]
        Readout("readout", (2,), np.array(0, np.int32), np.array(0, np.int32)),
    )
    connections = (
        Connection("input", "hidden", Dense(np.full((3, inputs), weight, np.int32))),
        Connection("hidden", "readout", Dense(np.array([[2, 4, 6], [-2, 4, 8]], np.int32))),
    )
    return Network(populations, connections, timesteps, fixed_point=True)
