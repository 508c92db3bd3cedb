"""Convolutions of spikes whose weights are few steps only: they get exponents, for which the chip writes all their synapses out.

A population needs room for its potentials over T steps, so that long windows leave it a small gain, and its weights few bits. Wrong weights
err alike at every step: more time steps would make such a network worse. An exponent gives the bits back. Lava's ``Conv`` has none, so on
the chip the convolution is a ``Sparse``, which takes a synapse for each weight in each place of its kernel.
"""

from __future__ import annotations

from functools import partial
from math import prod

import numpy as np

from loihiconv.conversion.exponents import RATE_MEAN_SQUARE, floor_variance, widest_exponent
from loihiconv.conversion.gains import weight_step
from loihiconv.core.fixed_point import mixed, round_weights, weight_limit
from loihiconv.core.linear import Conv
from loihiconv.core.network import Connection, Network
from loihiconv.hardware.board import Board

COARSE = 1e-3
"""Mean square error of a population's rates through rounded weights, from which on an exponent is considered."""
PAYS = 0.25
"""What an exponent must reduce that error to: by a bit of weight."""


def coarse_convolutions(network: Network, quantized: Network, board: Board) -> list[str]:
    """Populations whose convolutions should have exponents, those first that have the fewest synapses to write out.

    Parameters
    ----------
    network : Network
        Float.
    quantized : Network
        The same in integers, in which they have none.
    board : Board
    """
    if not board.formats.weight_exponents:
        return []
    synapses: dict[str, int] = {}
    for old, new in zip(network.connections, quantized.connections, strict=True):
        layer = quantized.record.quantization.get(old.target)  # gates have none
        if layer is None or not isinstance(old.map, Conv) or not network[old.source].spiking or new.weight_exp:
            continue
        if _pays(old, layer.gain, network.timesteps, board):
            synapses[old.target] = synapses.get(old.target, 0) + old.map.weight[0].size * prod(network[old.target].shape)
    return sorted(synapses, key=lambda name: synapses[name])


def _pays(connection: Connection, gain: float, timesteps: int, board: Board) -> bool:
    """Whether weights of this gain err much, and far less with an exponent."""
    weight, step = connection.map.weight.astype(np.float64), weight_step(connection, board)
    exponent = widest_exponent(gain * float(np.abs(weight).max(initial=0)), weight_limit(weight, board.weight_bits.value))
    nearest = partial(round_weights, weight_bits=board.weight_bits.value, even=mixed(weight))

    def error(e: int) -> float:
        wrong = nearest(weight * (gain * 2.0**-e)) * 2.0**e - weight * gain
        cut_off = floor_variance(e, step) / timesteps if e else 0.0
        return (RATE_MEAN_SQUARE * float(connection.map.row_sums(np.square(wrong)).mean()) + cut_off) / gain**2

    return exponent < 0 and (coarse := error(0)) > COARSE and error(exponent) < PAYS * coarse
