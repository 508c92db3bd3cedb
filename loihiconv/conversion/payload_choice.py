"""How wide payloads of analog inputs are, and whether a bias plane helps: whatever distorts the first layers' currents least."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from loihiconv.conversion.adaptive_rounding import Covariances, expected_error
from loihiconv.conversion.bias_plane import with_bias_plane
from loihiconv.conversion.exponents import floor_variance
from loihiconv.conversion.gains import Inputs, known_covariances, quantize_population, weight_step
from loihiconv.conversion.potentials import without_potentials
from loihiconv.core.errors import LimitExceeded
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Sparse
from loihiconv.core.network import Input, Network, Population, assert_never
from loihiconv.core.record import ROUNDING_ERROR
from loihiconv.hardware.board import Board

PAYLOAD_BITS = 8
"""Most bits of an analog input's payload, the sign included."""
FEWEST_PAYLOAD_BITS = 4
ROOM_COST = 1.5e-4
"""Mean square error of rates up to which convolutions of payloads share weights and leave room for potentials: what 24 steps round.

R neurons for each activation round R² times less, and synapses are written out from an error on that is as many times smaller. Potentials
that saturate err by no less, and keep their room.

Measured on `fashion_gap` (benchmarks, 5,000 training images): 1.3e-4 at T = 8 loses 0.04 points, 4.0e-4 at T = 32 loses 0.28.
"""
PLANE_GAIN = 0.7
"""A bias plane must reduce the mean square error of first layers' rates to this, for what it costs in input neurons."""


@dataclass(frozen=True)
class Choice:
    """How samples come into a network.

    Attributes
    ----------
    network : Network
        Float, with bias planes where they help.
    inputs : {name: Input}
        The input populations, with their payloads.
    unshared : frozenset of str
        Populations whose convolutions may have exponents: on the chip all their synapses are written out.
    error : float
        Mean square error of the first layers' currents per step, in thresholds.
    """

    network: Network
    inputs: Inputs
    unshared: frozenset[str] = frozenset()
    error: float = 0.0


def best_inputs(network: Network, board: Board, covariances: Covariances, *, unshared: bool = True) -> Choice:
    """The payload widths that distort the first layers' currents least, and the network, with bias planes where they help.

    T steps of payloads go far, and a convolution that they drive has no exponent to take bits back with (see
    `loihiconv.conversion.gains`), as long as the chip shares its weights: wrong ones err alike in all places, so that nothing averages them
    out. Where room for its potentials costs more than `ROOM_COST`, its synapses are written out, if ``unshared`` allows it, and at last it
    gets less room. Of several inputs one is chosen after the other.
    """
    choice = Choice(network, {source.name: _with_payload(source, _most_bits(source, board)) for source in network.inputs})
    for source in network.inputs:
        if source.coding == "analog" and board.graded_spikes and network.outgoing(source.name):
            choice = _with_best(choice, source, board, covariances, unshared)
    return choice


def _most_bits(source: Input, board: Board) -> int:
    """Bits that a payload of an input may have; a board's spikes may carry fewer than ours."""
    graded = source.coding == "analog" and board.graded_spikes
    return min(PAYLOAD_BITS, board.graded_spike_bits.value) if graded else PAYLOAD_BITS


def _with_payload(source: Input, bits: int) -> Input:
    """An input population with payloads of so many bits."""
    magnitude_bits = bits - 1 if source.signed else bits
    return replace(source, payload_max=2**magnitude_bits - 1)


def _with_best(choice: Choice, source: Input, board: Board, covariances: Covariances, unshared: bool) -> Choice:
    """The choice with the population of one input chosen anew: the first way that errs little, or else the one that errs least."""
    network = choice.network
    best = _best_of_planes(choice, source, board, covariances)
    driven = [c for c in network.outgoing(source.name) if isinstance(c.map, Conv)]
    if driven and best.error > ROOM_COST / network.copies**2 and unshared and board.formats.weight_exponents:
        written_out = replace(choice, unshared=choice.unshared | {c.target for c in driven})
        best = min(best, _best_of_planes(written_out, source, board, covariances), key=lambda c: c.error)
    if driven and best.error > ROOM_COST:
        freed = replace(choice, network=without_potentials(network, {p.name for p in _first_targets(network, source)}))
        best = min(best, _best_of_planes(freed, source, board, covariances), key=lambda c: c.error)
    return best


def _best_of_planes(choice: Choice, source: Input, board: Board, covariances: Covariances) -> Choice:
    """Whatever errs least without and with a bias plane.

    Payloads and weights share the synaptic sum's 17 bits, and both yield to biases that must fit their register. What a bias plane saves
    is held against what T steps round rates by anyway.
    """
    best = _best_payload(choice, source, board, covariances)
    if (planed := with_bias_plane(choice.network, source)) is not None:
        extended = planed[source.name]
        assert isinstance(extended, Input)  # as it was
        with_plane = _best_payload(replace(choice, network=planed), extended, board, covariances)
        steps = _rounded_by_time(choice.network)
        if with_plane.error + steps < PLANE_GAIN * (best.error + steps):
            return with_plane
    return best


def _rounded_by_time(network: Network) -> float:
    """Mean square of what T steps of R copies round rates by, 1 / (12 (T R)²)."""
    return 1 / (12 * (network.timesteps * network.copies) ** 2)


def _best_payload(choice: Choice, source: Input, board: Board, covariances: Covariances) -> Choice:
    """The payload width of an input that errs least."""
    most = _most_bits(source, board)
    targets = _first_targets(choice.network, source)
    tried = []
    for bits in range(most, min(most, FEWEST_PAYLOAD_BITS) - 1, -1):
        candidate = replace(choice, inputs={**choice.inputs, source.name: _with_payload(source, bits)})
        error = max(_current_error(candidate, t, board, covariances) for t in targets)
        tried.append(replace(candidate, error=error))
    return min(tried, key=lambda c: c.error)


def _first_targets(network: Network, source: Input) -> list[Population]:
    return [network[c.target] for c in network.outgoing(source.name)]


def _current_error(choice: Choice, population: Population, board: Board, covariances: Covariances) -> float:
    """Mean square error of a first layer's current per step, in units of its threshold.

    Averaged over neurons, the sum over a neuron's synapses of (error of the weight)^2 E[payload^2], plus weight^2 times the mean
    square error of the payload. Where covariances of the inputs are known, the former is
    `loihiconv.conversion.adaptive_rounding.expected_error`. The latter is measured on calibration data, because pixels that were bytes
    are exact with some widths.
    """
    network, inputs = choice.network, choice.inputs
    try:
        _, incoming, entry = quantize_population(network, population, inputs, board, covariances, choice.unshared)
    except LimitExceeded:
        return np.inf
    gain, error = entry.gain, 0.0
    known = known_covariances(covariances, population, incoming)
    for old, new, covariance in zip(network.incoming(population.name), incoming, known, strict=True):
        source = inputs.get(old.source)
        if source is not None and not source.spiking:
            squares, rounding = _of_payloads(network, source)
            weights = new.map.weight * 2.0**new.weight_exp
            wrong = weights - old.map.weight.astype(np.float64) * gain / source.payload_max
            error += float(_per_input(weights**2, rounding, new.map).mean()) / gain**2
            if new.weight_exp:
                error += floor_variance(new.weight_exp, weight_step(old, board)) / gain**2
            if covariance is not None:
                error += expected_error(wrong, covariance.values) * covariance.optimism * source.payload_max**2 / gain**2
            else:
                error += float(_per_input(wrong**2, squares, new.map).mean()) / gain**2
    return error


def _of_payloads(network: Network, source: Input) -> tuple[Array, Array]:
    """Mean squares of an input's payloads, and of what rounding costs them, (\\*shape) each."""
    known = network.record.calibration.of(source.name)
    squares = np.full(source.shape, known.mean_square * source.payload_max**2)
    rounding = np.full(source.shape, known.payload_errors.get(source.payload_max, ROUNDING_ERROR))
    if source.bias_plane:
        squares[-1], rounding[-1] = source.payload_max**2, 0
    return squares, rounding


def _per_input(weights: Array, values: Array, linear_map: LinearMap) -> Array:
    """Sum over each neuron's synapses of weight x value, with values of the source's shape that differ by channel only."""
    match linear_map:
        case Conv():
            per_channel = values[: weights.shape[1], 0, 0] if linear_map.groups == 1 else values[:1, 0, 0]
            return linear_map.row_sums(weights * per_channel[:, None, None])
        case Dense():
            return linear_map.row_sums(weights * values.reshape(-1))
        case Sparse():
            return linear_map.row_sums(weights * values.reshape(-1)[linear_map.columns])
        case _:
            assert_never(linear_map)
