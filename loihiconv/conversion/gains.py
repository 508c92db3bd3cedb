"""The gain of one population: what bounds it, and the integers that it gives.

One real number per population, its *gain* g, decides everything: the integer threshold is vth = g (times the float
threshold 1), weights are round(g w / P) with P the payload that stands for 1, biases are round(64 g b). Scaling all
three by the same g keeps the function, so there is no threshold error; g is taken as large as the ranges allow, so
that the weights use their 8 bits. The ranges (`Ceiling`) are, per population:

- weights:      g max|w| / P <= 254 (even numbers, signs mix) or 255 (one sign); with few bits more, where it pays to cut off the
                largest weights; see `clipping`
                where another range stops g earlier, weights get an exponent, so that they use their bits; see `exponents`
- threshold:    g <= mantissa_max * 2^exponent_max, and representable as mantissa * 2^exponent
- bias:         64 g max|b| <= 4095 * 2^7
- potential:    64 g max|v| <= 2^23 - 1 for how far v goes below and above 0, in thresholds; see `potentials`
- synaptic sum: P * sum of weights of one sign < 2^17 for every neuron, or u wraps
- readout:      64 g T * headroom <= 2^23 - 1 for the largest output seen in calibration, or v saturates (T: steps that it integrates)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import floor, log2
from typing import TypeAlias

import numpy as np

from loihiconv.conversion.adaptive_rounding import Covariance, Covariances, rounded
from loihiconv.conversion.clipping import FEW_BITS, best_clipping, level
from loihiconv.conversion.exponents import RATE_MEAN_SQUARE, choose_exponent, mean_loss, widest_exponent
from loihiconv.conversion.potentials import farthest
from loihiconv.core.bounds import worst_sums
from loihiconv.core.errors import LimitExceeded
from loihiconv.core.fixed_point import BIAS_MAX, V_MAX, mixed, round_bias, round_weights, weight_limit
from loihiconv.core.linear import Array, Conv
from loihiconv.core.network import (
    IF,
    STATE_SHIFT,
    SUM_LIMIT,
    WEIGHT_EXP_MIN,
    Connection,
    Input,
    Integrating,
    Integrator,
    Network,
    Population,
)
from loihiconv.core.record import LayerRecord
from loihiconv.core.validation import EXACT_FLOAT32, unshifted_sum
from loihiconv.hardware.board import Board

READOUT_HEADROOM = 2.0
"""Potentials may grow to this many times the largest output seen in calibration before they saturate."""
CONVOLUTION_BITS = 4.0
"""Of a convolution's weights, below which it gets an exponent although that costs it its shared weights on the chip."""
HOST_WEIGHT_BITS = 15
"""Magnitude bits of weights that only the host multiplies with."""
FILLED = 0.72
"""Share of the limit that a readout's largest weights use at least: 7.5 bits of 8."""
SUM_CAUSE = "synaptic sum of 17 bits"
LEAST_FOR_POTENTIALS = 16.0
"""Gain that room for potentials leaves at least: thresholds of a few units would be too coarse."""


Inputs: TypeAlias = Mapping[str, Input]
"""Input populations by name, with payloads that have been chosen, or are tried."""


@dataclass(frozen=True)
class Ceiling:
    """The largest gain that one range allows, and the range's name."""

    gain: float
    cause: str


def representable_threshold(value: float, board: Board) -> int:
    """Largest ``mantissa * 2^exponent`` of the board that is at most ``value``; 0 if there is none."""
    mantissa_max, exponent_max = 2**board.vth_mantissa_bits.value - 1, board.vth_exponent_max.value
    options = (min(floor(value) >> e, mantissa_max) << e for e in range(exponent_max + 1))
    return max(options, default=0) if value >= 1 else 0


def quantize_population(
    network: Network,
    population: Population,
    inputs: Inputs,
    board: Board,
    covariances: Covariances,
    unshared: frozenset[str] | None = frozenset(),
) -> tuple[Integrating, list[Connection], LayerRecord]:
    """A population, what comes into it, and what became of its range.

    ``unshared`` are populations whose convolutions may have exponents, though the chip then shares their weights no more; None that no
    convolution may, as few bits as that leaves.
    """
    assert isinstance(population, Integrator)  # the caller handles the rest
    incoming = network.incoming(population.name)
    ceiling = min(_ceilings(network, population, inputs, board), key=lambda c: c.gain)
    lowest = WEIGHT_EXP_MIN if board.formats.weight_exponents else 0
    while True:
        gain = _gain(population, ceiling, board)
        if not population.spiking and lowest < 0:
            gain *= _filling(network, population, inputs, board, gain)
        connections = [
            _quantized_connection(network, c, inputs, board, gain, covariance, lowest, unshared)
            for c, covariance in zip(incoming, known_covariances(covariances, population, incoming), strict=True)
        ]
        on_chip = [c for c in connections if not c.on_host]
        worst_sum = _largest_sum(network, inputs, population, on_chip)
        if worst_sum >= SUM_LIMIT:
            ceiling = Ceiling(min(gain - 1, gain * (SUM_LIMIT - 1) / worst_sum), SUM_CAUSE)
        elif lowest < 0 and sum(unshifted_sum(c, inputs.get(c.source, network[c.source])) for c in on_chip) >= EXACT_FLOAT32:
            lowest += 1
        else:
            break
    _check_not_lost(network, population, connections, ceiling, gain)
    unit = gain * 2**STATE_SHIFT
    # What shifts cut off of sums on average, the bias gives back.
    bias = population.bias.astype(np.float64) * unit + 2**STATE_SHIFT * sum(map(mean_loss, connections))
    most = board.formats.bias_max
    integers = np.rint(bias).astype(np.int32) if len(on_chip) < len(connections) else round_bias(np.clip(bias, -most, most), board.formats)
    v_init = np.asarray(np.rint(population.v_init.astype(np.float64) * unit), np.int32)
    used = max((int(np.abs(c.map.weight).max(initial=0)) for c in on_chip), default=0)
    bits = log2(used / 2 ** (8 - board.weight_bits.value) + 1)
    entry = LayerRecord(gain, ceiling.cause, round(bits, 2))
    return population.quantized(gain, STATE_SHIFT, v_init=v_init, bias=integers), connections, entry


def _ceilings(network: Network, population: Integrating, inputs: Inputs, board: Board) -> Iterator[Ceiling]:
    """What stops a population's gain before its weights are rounded."""
    on_host = [c for c in network.incoming(population.name) if _on_host(c, inputs, board)]
    on_chip = [c for c in network.incoming(population.name) if c not in on_host]
    fitting = [
        Ceiling(weight_limit(c.map.weight, board.weight_bits.value) * _payload(c, inputs) / _largest(c.map.weight), f"weights of {c.name}")
        for c in on_chip
    ]
    if fitting:
        whole = min(fitting, key=lambda c: c.gain)
        beyond = best_clipping([(c.map, whole.gain / _payload(c, inputs)) for c in on_chip], board.weight_bits.value)
        yield replace(whole, gain=whole.gain * beyond)
    if on_host:
        units = {name: replace(source, payload_max=1) for name, source in inputs.items()}
        unit_sums = worst_sums(network, units, population, on_host)
        worst = max(float(sums.max()) for sums in unit_sums) + _largest(population.bias)
        yield Ceiling(BIAS_MAX / 2**STATE_SHIFT / worst, "currents from the host")
    else:
        yield Ceiling(board.formats.bias_max / 2**STATE_SHIFT / _largest(population.bias), "bias")
    if population.spiking:
        yield Ceiling((2**board.vth_mantissa_bits.value - 1) << board.vth_exponent_max.value, "threshold")
    else:
        highest = min(V_MAX, board.formats.readout_max)
        yield Ceiling(highest / 2**STATE_SHIFT / network.readout_steps / READOUT_HEADROOM, "potential of the readout over T steps")
    if isinstance(population, IF) and (far := farthest(network, population)) and not on_host:  # 0 where nothing ever comes in
        yield Ceiling(max(V_MAX / 2**STATE_SHIFT / far, LEAST_FOR_POTENTIALS), "potential over T steps")


def _gain(population: Integrating, ceiling: Ceiling, board: Board) -> float:
    """The largest gain below a ceiling: of a spiking population one that is a threshold of the board."""
    gain = float(representable_threshold(ceiling.gain, board)) if population.spiking else ceiling.gain
    if ceiling.gain == 0:  # as `weight_limit` is
        raise LimitExceeded(
            f"{ceiling.cause} have both signs, and of both signs {board.weight_bits.value} bit holds nothing but 0",
            where=population.name,
            limit="weight_bits of at least 2 expected",
            remedy="use another board, or weights of one sign",
        )
    if gain <= 0:
        raise LimitExceeded(
            f"{ceiling.cause} leave a threshold of {ceiling.gain:.2g}",
            where=population.name,
            limit="at least 1",
            remedy="the layer's weights or biases are far larger than its activations: retrain with weight decay, or raise percentile",
        )
    return gain


def _filling(network: Network, readout: Integrating, inputs: Inputs, board: Board, gain: float) -> float:
    """What a readout's gain, which may be any number, is multiplied by so that its largest weights use their range, 1/2 to 1.

    An exponent doubles weights or does not; where the largest are then far below the limit, half of the range is empty, and a gain
    that is somewhat smaller lets them have the next exponent.
    """
    filled = []
    for c in network.incoming(readout.name):
        if not _on_host(c, inputs, board):
            limit, largest = weight_limit(c.map.weight, board.weight_bits.value), _largest(c.map.weight) * gain / _payload(c, inputs)
            exponent = widest_exponent(largest, limit)
            filled.append((largest * 2.0**-exponent / limit, exponent))
    least, exponent = min(filled, default=(1.0, 0))
    # A hair less than half, or products that round up would stay above it and get no exponent.
    return (0.5 - 1e-12) / least if 0.5 < least < FILLED and exponent > WEIGHT_EXP_MIN else 1.0


def _quantized_connection(
    network: Network,
    connection: Connection,
    inputs: Inputs,
    board: Board,
    gain: float,
    covariance: Covariance | None,
    lowest: int,
    unshared: frozenset[str] | None,
) -> Connection:
    """Whole-numbered weights with the exponent that serves them best, if it is at least ``lowest``."""
    payload = _payload(connection, inputs)
    if _on_host(connection, inputs, board):
        return _host_connection(connection, gain, payload)
    exponent = 0
    if lowest < 0 and _may_shift(connection, inputs, board, gain / payload, unshared):
        constant = _sends_payloads(connection, inputs)
        mean_square = network.record.calibration.of(connection.source).mean_square * payload**2 if constant else RATE_MEAN_SQUARE
        exponent = choose_exponent(
            connection.map.with_weight(connection.map.weight.astype(np.float64) * (gain / payload)),
            weight_limit(connection.map.weight, board.weight_bits.value),
            weight_step(connection, board),
            partial(round_weights, weight_bits=board.weight_bits.value, even=mixed(connection.map.weight)),
            mean_square,
            1 if constant else network.timesteps,
            lowest,
            beyond=board.weight_bits.value <= FEW_BITS and not level(connection.map),
        )
    whole = rounded(connection.map, gain / payload * 2.0**-exponent, board.weight_bits.value, covariance)
    return Connection(connection.source, connection.target, whole, weight_exp=exponent)


def _may_shift(connection: Connection, inputs: Inputs, board: Board, factor: float, unshared: frozenset[str] | None) -> bool:
    """Whether an exponent is considered: of convolutions only where too few bits would be left without one.

    Lava's ``Conv`` has no exponent. On the chip such a connection is a ``Sparse``, which shares no weights and takes their memory. Others
    get one where their board holds that: see `loihiconv.conversion.payload_choice` for those that payloads drive, which try narrower ones
    and a bias plane first, and `loihiconv.conversion.coarse_weights` for those that spikes drive.
    """
    if not isinstance(connection.map, Conv):
        return True
    if unshared is None or _sends_payloads(connection, inputs):
        return unshared is not None and connection.target in unshared
    used = _largest(connection.map.weight) * factor / 2 ** (8 - board.weight_bits.value)
    return connection.target in unshared or log2(used + 1) < CONVOLUTION_BITS


def _check_not_lost(network: Network, population: Integrating, connections: list[Connection], ceiling: Ceiling, gain: float) -> None:
    """Raise `LimitExceeded` where weights are left that are all zero."""
    for old, new in zip(network.incoming(population.name), connections, strict=True):
        if old.map.weight.any() and not new.map.weight.any():
            raise LimitExceeded(
                f"all weights round to zero, because {ceiling.cause} stop at a gain of {gain:.3g}",
                where=population.name,
                limit="8-bit weights with exponents of -8 to 0 and sums below 2^17",
                remedy="reduce the layer's fan-in or its largest weights and biases",
            )


def _largest_sum(network: Network, inputs: Inputs, population: Integrating, connections: list[Connection]) -> float:
    return max(float(sums.max()) for sums in worst_sums(network, inputs, population, connections))


def _sends_payloads(connection: Connection, inputs: Inputs) -> bool:
    """Whether values of samples drive a connection, the same at each step."""
    source = inputs.get(connection.source)
    return source is not None and not source.spiking


def _payload(connection: Connection, inputs: Inputs) -> int:
    """The payload that stands for 1."""
    return inputs[connection.source].payload_max if _sends_payloads(connection, inputs) else 1


def weight_step(connection: Connection, board: Board) -> int:
    """What whole-numbered weights of a connection are multiples of."""
    return int(2 ** (8 - board.weight_bits.value + mixed(connection.map.weight)))


def _on_host(connection: Connection, inputs: Inputs, board: Board) -> bool:
    """Whether the board cannot take this connection's payloads, so that the host must compute its sums."""
    return _sends_payloads(connection, inputs) and not board.graded_spikes


def _largest(values: Array) -> float:
    """Largest magnitude, or tiny where all are zero, so that a range divided by it stays a number."""
    return max(float(np.abs(values).max(initial=0)), 1e-12)


def known_covariances(covariances: Covariances, population: Population, incoming: Sequence[Connection]) -> Sequence[Covariance | None]:
    """What is known of each connection into a population."""
    return covariances.get(population.name, (None,) * len(incoming))


def _host_connection(connection: Connection, gain: float, payload: int) -> Connection:
    """Weights in units of v * 2^-weight_exp, as wide as `HOST_WEIGHT_BITS` allow."""
    weight = connection.map.weight.astype(np.float64) * gain * 2**STATE_SHIFT / payload
    exponent = floor(log2(_largest(weight))) + 1 - HOST_WEIGHT_BITS
    integers = np.rint(weight * 2.0**-exponent).astype(np.int32)
    return Connection(connection.source, connection.target, connection.map.with_weight(integers), on_host=True, weight_exp=exponent)
