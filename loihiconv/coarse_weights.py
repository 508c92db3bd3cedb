"""Which layers have so few bits for their weights that rounding costs more than counting spikes does."""

from __future__ import annotations

import numpy as np

from loihiconv.hardware.config import HardwareConfig
from loihiconv.linear import Array
from loihiconv.network import IF, STATE_SHIFT, MaxPool, Network, Readout
from loihiconv.quantization import quantize
from loihiconv.settings import Rounding
from loihiconv.simulation import simulate

SAMPLES = 64
"""Whose rates are measured."""


def adaptively_rounded(network: Network, board: HardwareConfig, rounding: Rounding, x: Array) -> set[str]:
    """Populations of a float network whose weights are to make up for each other's errors, once they are whole numbers.

    With "auto", and beside those that payloads drive, those of which `outweighs_time` holds if their weights are rounded to the nearest.

    Parameters
    ----------
    network : Network
        Float.
    board : HardwareConfig
    rounding : "auto", "nearest", "first" or "adaptive"
    x : array (N, \\*shape)
        Calibration samples.
    """
    targets = {c.target for c in network.connections if not isinstance(network[c.target], MaxPool)}
    if rounding in ("nearest", "adaptive"):
        return targets if rounding == "adaptive" else set()
    driven = {c.target for c in network.connections if not network[c.source].spiking}
    if rounding == "first" or driven == targets:
        return driven
    recording, rounded = simulate(network, x[:SAMPLES]), quantize(network, board)
    for new in rounded.connections:
        source, target = network[new.source], network[new.target]
        if new.target in driven or new.target not in targets or not source.spiking:
            continue
        old = next(c for c in network.connections if (c.source, c.target) == (new.source, new.target))
        mean_square = float(np.mean((recording.sent(source.name) / network.timesteps) ** 2))
        wrong = new.map.weight / _gain(rounded, target.name, network) - old.map.weight
        if outweighs_time(wrong, old.map.weight, mean_square, network.timesteps):
            driven.add(new.target)
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
    return float(np.mean(np.square(wrong, dtype=np.float64))) * mean_square > float(np.mean(np.square(weight, dtype=np.float64))) / (
        12 * timesteps**2
    )


def _gain(rounded: Network, name: str, network: Network) -> float:
    """Integer weights per unit of the float ones."""
    population, was = rounded[name], network[name]
    if isinstance(population, IF):
        return float(population.vth)
    assert isinstance(population, Readout)  # nothing else has weights that are rounded
    assert isinstance(was, Readout)  # the same population
    return population.scale / was.scale / 2**STATE_SHIFT
