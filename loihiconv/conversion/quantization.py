"""From a float Network to the chip's integers.

Thresholds, weights and biases of a population are scaled by its gain (`loihiconv.conversion.gains`), once it is known how wide the payloads
of inputs are (`loihiconv.conversion.payload_choice`).
"""

from __future__ import annotations

from bisect import bisect_left
from contextlib import suppress
from dataclasses import replace
from math import log2

import numpy as np

from loihiconv.conversion.adaptive_rounding import Covariances
from loihiconv.conversion.coarse_weights import coarse_convolutions
from loihiconv.conversion.gains import SUM_CAUSE, quantize_population
from loihiconv.conversion.payload_choice import Choice, best_inputs
from loihiconv.core.bounds import worst_cases, worst_sums
from loihiconv.core.errors import InvalidModel, LimitExceeded
from loihiconv.core.linear import Conv
from loihiconv.core.network import IF, Connection, Input, Integrator, MaxPool, Network, Population, assert_never
from loihiconv.core.record import LayerRecord
from loihiconv.hardware.board import Board
from loihiconv.hardware.place import place
from loihiconv.hardware.validation import validate

FEWEST_WEIGHT_BITS = 6.0
"""Of a weight's 8, below which payloads of fewer bits err less in total."""


def quantize(network: Network, board: Board, covariances: Covariances | None = None) -> Network:
    """Quantize weights, biases and thresholds jointly per population.

    Parameters
    ----------
    network : Network
        Float, thresholds 1.
    board : Board
    covariances : {population: (Covariance or None, ...)}, optional
        Of what each connection into a population receives, as `loihiconv.conversion.rounding_choice.choose_rounding` gives them: their
        weights are rounded adaptively, all others to the nearest.

    Returns
    -------
    Network
        Fixed point; ``record.quantization`` tells for each population its gain, what limited it, and the bits of
        the weights' range that are used; ``record.bounds`` the worst cases of u and v.

    Raises
    ------
    LimitExceeded
        If a population cannot be expressed in the ranges, with the layer and the range that stops it.
    InvalidModel
        If parameters are not finite.
    """
    check_finite(network)
    network = without_idle_channels(network)
    for spiking in network.layers:
        check_payload(spiking.largest_message, spiking.name, board, signed=spiking.spiking and spiking.smallest_message < 0)
    result = _fitting(network, board, covariances or {})
    validate(result, board)
    return replace(result, record=replace(result.record, bounds=worst_cases(result)))


def _fitting(network: Network, board: Board, covariances: Covariances) -> Network:
    """The quantized network with as many exponents in convolutions as serve it and as the board holds the synapses of.

    A convolution with an exponent shares no weights on the chip. Where the board does not even hold the network without any, it has those
    that it cannot do without.
    """

    def quantized(choice: Choice, unshared: frozenset[str] | None, covariances: Covariances = covariances) -> Network:
        return _quantized(network, choice, board, covariances, unshared)

    def fits(result: Network) -> bool:
        return place(result, board).fits

    choice = best_inputs(network, board, covariances)
    result = quantized(choice, choice.unshared)
    if choice.unshared and not fits(result):
        choice = best_inputs(network, board, covariances, unshared=False)
        result = quantized(choice, choice.unshared)
    few_bits = any(isinstance(c.map, Conv) and c.weight_exp and result[c.source].spiking for c in result.connections)
    if few_bits and not fits(result):
        with suppress(LimitExceeded):  # without exponents nothing may be left of weights
            if fits(shared := quantized(choice, None)):
                return shared
        return result
    coarse = coarse_convolutions(choice.network, result, board)
    if not coarse or not (few_bits or fits(result)):
        return result
    most = bisect_left(
        range(1, len(coarse) + 1), True, key=lambda number: not fits(quantized(choice, choice.unshared.union(coarse[:number]), {}))
    )
    if not most:
        return result
    finer = quantized(choice, choice.unshared.union(coarse[:most]))
    return finer if fits(finer) else result  # rounded adaptively, weights may take a bit more


def without_idle_channels(network: Network) -> Network:
    """A float network in which channels that no input can make spike have no weights, which would cost all others of their range.

    Such a channel's bias and largest sum of inputs are nowhere above 0; it is left a bias of minus one threshold.
    """
    entries = {source.name: replace(source, payload_max=1) for source in network.inputs}
    populations, connections = list(network.populations), list(network.connections)
    for i, population in enumerate(populations):
        if not isinstance(population, IF) or population.bias.shape[:1] != population.shape[:1]:
            continue
        rising, _ = worst_sums(network, entries, population, network.incoming(population.name))
        idle = (population.bias + rising <= 0).reshape(len(rising), -1).all(axis=1)
        if not idle.any():
            continue
        kept = np.broadcast_to((~idle).reshape(-1, *(1,) * (rising.ndim - 1)), population.shape)
        bias = population.bias.copy()
        bias[idle] = -population.largest_message
        populations[i] = replace(population, bias=bias)
        for k, c in enumerate(connections):
            if c.target == population.name:
                ones = np.ones(network[c.source].shape)
                connections[k] = replace(c, map=c.map.scaled(kept.astype(c.map.weight.dtype), ones.astype(c.map.weight.dtype)))
    unchanged = all(a is b for a, b in zip(populations, network.populations, strict=True))
    return network if unchanged else replace(network, populations=tuple(populations), connections=tuple(connections))


def _quantized(float_network: Network, choice: Choice, board: Board, covariances: Covariances, unshared: frozenset[str] | None) -> Network:
    """The chip's integers of a float network whose inputs are chosen; ``unshared`` as in `quantize_population`."""
    network = choice.network
    populations: list[Population] = []
    connections: list[Connection] = []
    layers: dict[str, LayerRecord] = {}
    for population in network.populations:
        match population:
            case Input():
                populations.append(choice.inputs[population.name])
            case MaxPool():  # spikes go through as they are
                populations.append(population)
                connections += [replace(c, map=c.map.with_weight(c.map.weight.astype(np.int32))) for c in network.incoming(population.name)]
            case Integrator():
                quantized, incoming, layers[population.name] = quantize_population(
                    network, population, choice.inputs, board, covariances, unshared
                )
                populations.append(quantized)
                connections += incoming
            case _:
                assert_never(population)
    return Network(
        tuple(populations),
        tuple(connections),
        network.timesteps,
        fixed_point=True,
        board=board.name,
        record=replace(network.record, quantization=layers),
        origin=float_network,
    )


def check_finite(network: Network) -> None:
    """Raise `InvalidModel` for the first weight or bias that is NaN or infinite."""
    for connection in network.connections:
        if not np.isfinite(connection.map.weight).all():
            raise InvalidModel("weights hold NaN or infinity", where=connection.target, remedy="train the network again")
    for population in network.layers:
        if isinstance(population, Integrator) and not np.isfinite(population.bias).all():
            raise InvalidModel("biases hold NaN or infinity", where=population.name, remedy="train the network again")


def check_payload(largest: int, where: str, board: Board, *, signed: bool = False) -> None:
    """Raise `LimitExceeded` if the board's spikes do not carry payloads of up to ``largest``; 1 is a binary spike, which needs none."""
    bits, limit = largest.bit_length() + signed, board.graded_spike_bits.value
    if (largest > 1 or signed) and bits > limit:
        raise LimitExceeded(
            f"{'signed' if signed else 'graded'} spikes of {bits} bits",
            where=where,
            remedy=f"use {'signed_spikes=False' if signed else 'spike_bits=1'}, or a board with Loihi 2",
            limit=f"{board.title}: spikes carry {limit} bits" if limit else f"{board.title}: spikes are binary",
        )


def narrow_weights(network: Network) -> list[str]:
    """What a user should know of layers whose weights graded spikes leave few bits; one line each.

    Payloads and weights share a sum of 17 bits: a bit more for the ones is a bit less for the others, in layers with many inputs.
    """
    notes = []
    for name, entry in network.record.quantization.items():
        sources = [network[c.source] for c in network.incoming(name)]
        payload = max((source.largest_message for source in sources if source.spiking), default=1)
        bits = entry.weight_bits_used
        if payload == 1 or bits >= FEWEST_WEIGHT_BITS or entry.limited_by != SUM_CAUSE:
            continue
        best = next((b for b in range(payload.bit_length() - 1, 1, -1) if bits + log2(payload / (2**b - 1)) >= FEWEST_WEIGHT_BITS), 1)
        notes.append(
            f"{name}: payloads of up to {payload} leave its weights {bits:.1f} of 8 bits, as sums must stay below 2^17; "
            f"use spike_bits={best}"
        )
    return notes
