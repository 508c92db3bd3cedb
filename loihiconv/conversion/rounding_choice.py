"""Which layers have so few bits for their weights that rounding costs more than counting spikes does."""

from __future__ import annotations

import numpy as np

from loihiconv.conversion.quantization import quantize
from loihiconv.conversion.settings import Rounding
from loihiconv.core.linear import Array
from loihiconv.core.network import Integrator, Network
from loihiconv.hardware.board import Board
from loihiconv.simulator import simulate

SAMPLES = 64
"""Whose rates are measured."""


def adaptively_rounded(network: Network, board: Board, rounding: Rounding, x: Array) -> set[str]:
    """Populations of a float network whose weights are to make up for each other's errors, once they are whole numbers.

    With "auto", and beside those that payloads drive, those of which `outweighs_time` holds if their weights are rounded to the nearest.

    Parameters
    ----------
    network : Network
        Float.
    board : Board
    rounding : "auto", "nearest", "first" or "adaptive"
    x : array (N, \\*shape)
        Calibration samples.
    """
    targets = {c.target for c in network.connections if isinstance(network[c.target], Integrator)}
    if rounding in ("nearest", "adaptive"):
        return targets if rounding == "adaptive" else set()
    driven = {c.target for c in network.connections if not network[c.source].spiking}
    if rounding == "first" or driven == targets:
        return driven
    recording, rounded = simulate(network, x[:SAMPLES]), quantize(network, board)
    for name in targets - driven:
        gain = rounded.record.quantization[name].gain
        for old, new in zip(network.incoming(name), rounded.incoming(name), strict=True):
            mean_square = float(np.mean((recording.sent(old.source) / network.timesteps) ** 2))
            if outweighs_time(new.map.weight * 2.0**new.weight_exp / gain - old.map.weight, old.map.weight, mean_square, network.timesteps):
                driven.add(name)
    return driven


def outweighs_time(wrong: Array, weight: Array, mean_square: float, timesteps: int) -> bool:
    """Whether weights that are wrong by δ cost more than T steps, which round rates to whole spikes.

    mean δ² E[r²] > mean w² / (12 T²): both are mean square errors of a sum, per synapse. The error of rounding to a grid of 1/T is
    uniformly distributed, with a variance of 1/(12 T²).

    Parameters
    ----------
    wrong, weight : arrays of the same shape
        δ and w.
    mean_square : float
        E[r²] of what the source sends per step.
    timesteps : int
        T.
    """
    error, size = (float(np.mean(np.square(values, dtype=np.float64))) for values in (wrong, weight))
    return error * mean_square > size / (12 * timesteps**2)
