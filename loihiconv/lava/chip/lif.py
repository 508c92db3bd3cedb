"""Lava's ``LIF`` without leak, which resets to zero, in place of neurons that reset by subtraction.

With du = 4095 no current is kept, with dv = 0 nothing leaks. A spike loses what v has beyond the threshold, on average about half of
one step's input, so the loss is small where a step brings little. SNN toolbox therefore sets, for Loihi, thresholds to
``desired_threshold_to_input_ratio`` times the largest net input of a step, and its examples choose 2^3 for a reset to zero and
1 for a reset by subtraction (Rueckauer et al. 2021, "NxTF", arXiv:2101.04261; ``examples`` of SNN toolbox). At a ratio of 8
no neuron fires in more than one of 8 steps and a spike loses at most about an eighth of it; the price is rates an
eighth as high, so that eight times the time steps carry as many spikes.

`slowed` does that to the float network, before it is quantized: with thresholds of 1, ::

    first layers    w <- w / ratio,  b <- b / ratio      their input does not slow down
    later layers                     b <- b / ratio      their input comes at an eighth of the rate already
    readout       w <- w ratio                           so that its potentials, and the bits of its weights, are as before

so that all hidden rates become rate / ratio. A charge that was held back from the start, to come with the bias over T steps
(`loihiconv.conversion.settings.Settings.hold_back`), is put back to the start: it must not shrink with the bias.

``LIFReset`` is a ``LIF`` that sets u and v to zero at regular times, which on chips are powers of two apart. With T for that and the depth
of a layer for its offset, every sample finds its neurons as new, and all of them pass in one run. There is nothing else than 0 to
begin at, so the whole charge comes with the bias (`from_zero`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihiconv.core.fixed_point import NumberFormats
from loihiconv.core.linear import Array, LinearMap
from loihiconv.core.network import IF, STATE_SHIFT, V_MAX, Connection, Input, MaxPool, Network, Population, Readout, assert_never

RATIO = 8.0
"""Of threshold to largest input per step, as SNN toolbox's examples have it for a reset to zero."""
DU, DV = 4095, 0
"""Decay of current and potential that make Lava's ``LIF`` an integrate-and-fire neuron."""
VTH_MAX = 2**16 - 1
"""Largest ``vth`` that is safe on chips; neurons of the readout get it, so that they do not fire. Lava declares 17 bits, but shifted by 6
into a signed 24-bit register the 17th is its sign, and users of chips report garbage for thresholds of more than 16."""
READOUT_OFFSET = 2**21
"""So far below its start a readout begins on a chip, and as much is added to what is read back: then it is as far from the threshold,
where it would be reset, as from the lower end of its register, where public microcode of ``LIF`` leaves out the saturation for speed."""
READOUT_HIGHEST = (VTH_MAX << STATE_SHIFT) + READOUT_OFFSET
"""Largest potential of a readout, 6,291,392; the smallest is `READOUT_LOWEST`."""
READOUT_LOWEST = READOUT_OFFSET - V_MAX
FROM_ZERO = NumberFormats(readout_max=VTH_MAX << STATE_SHIFT)
"""Of neurons that are reset to zero between samples: a readout, too, begins at 0, and must not reach its threshold."""
NETX = NumberFormats(bias_exponents=(6, 6), weight_exponents=False, readout_max=VTH_MAX << STATE_SHIFT)
"""Of lava-dl's ``netx``, which gives all biases an exponent of 6, and connections none."""


def slowed(network: Network, ratio: float = RATIO) -> Network:
    """A float network with all hidden rates divided by ``ratio`` and a reset to zero.

    Parameters
    ----------
    network : Network
        Float, thresholds 1.
    ratio : float, at least 1
    """
    populations: list[Population] = []
    for population in network.populations:
        match population:
            case IF():
                held = _held_back(network, population)
                bias = population.bias - held.astype(population.bias.dtype) / network.timesteps
                populations.append(
                    replace(population, bias=_divided(bias, ratio), v_init=np.asarray(population.v_init + held), reset="zero")
                )
            case Readout():
                populations.append(population)
            case Input() | MaxPool():
                populations.append(population)
            case _:
                assert_never(population)
    connections = tuple(_slowed_connection(network, c, ratio) for c in network.connections)
    return replace(network, populations=tuple(populations), connections=connections)


def from_zero(network: Network) -> Network:
    """A float network whose neurons begin each sample at 0: what they began with comes with the bias, spread over the T steps."""
    populations = tuple(_from_zero(p, network.timesteps) if isinstance(p, IF) else p for p in network.populations)
    return replace(network, populations=populations)


def _from_zero(population: IF, timesteps: int) -> IF:
    bias = population.bias + np.asarray(population.v_init, population.bias.dtype) / np.asarray(timesteps, population.bias.dtype)
    return replace(population, bias=bias, v_init=np.zeros_like(population.v_init))


def _held_back(network: Network, population: IF) -> Array:
    """What of the starting charge comes with the bias; the record of the conversion says whether any does."""
    start, v_init = network.record.charge, np.asarray(population.v_init)
    return np.zeros_like(v_init) if start is None else np.asarray(population.charge(start) - v_init, v_init.dtype)


def _slowed_connection(network: Network, connection: Connection, ratio: float) -> Connection:
    factor = (1 / ratio if network.is_input(connection.source) else 1) * (ratio if connection.target == network.readout.name else 1)
    if factor == 1:
        return connection
    linear: LinearMap = connection.map
    return replace(connection, map=linear.with_weight(_divided(linear.weight, 1 / factor)))


def _divided(values: Array, ratio: float) -> Array:
    return np.asarray(values / np.asarray(ratio, values.dtype))
