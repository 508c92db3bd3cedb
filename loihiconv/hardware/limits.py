"""What fits on a board: one small rule per limit.

Every rule yields a `Violation` per layer that breaks its limit. Limits and their sources stand in ``hw_configs``; those marked
``certain: false`` there give violations that are warnings (``certain`` is False), and any file of a user may override them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from loihiconv.core.bounds import worst_cases
from loihiconv.core.fixed_point import BIAS_MAX, mixed
from loihiconv.core.network import Integrator, Network
from loihiconv.core.validation import driven_by_host
from loihiconv.hardware.board import Board
from loihiconv.hardware.board_fields import Limit
from loihiconv.hardware.demand import Demand, Layer
from loihiconv.hardware.synapses import CHANNELS_PER_AXON, geometry, is_shared, on_chip

DENSER = "use fewer channels or larger strides, or prune the layer into groups"


@dataclass(frozen=True)
class Violation:
    """A limit that a network breaks.

    Attributes
    ----------
    layer : str
        Population or connection; empty for the network as a whole.
    quantity : str
        What is limited, as in the board's YAML.
    value, limit : int
    certain : bool
        False where the limit itself is uncertain: then it is a warning.
    remedy : str
        What would help.
    source : str
        Where the limit comes from.
    """

    layer: str
    quantity: str
    value: int
    limit: int
    certain: bool
    remedy: str
    source: str = ""

    def __str__(self) -> str:
        doubt = "" if self.certain else f" (uncertain: {self.source})"
        return f"{self.layer or 'network'}: {self.quantity.replace('_', ' ')} {self.value:,}, limit {self.limit:,}{doubt}; {self.remedy}"

    def to_json(self) -> dict[str, Any]:
        """The violation as JSON values."""
        return dict(vars(self))


NetworkRule = Callable[[Network, Board], Iterator[Violation]]


def network_violations(network: Network, board: Board) -> tuple[Violation, ...]:
    """All rules that need no placement."""
    return tuple(violation for rule in NETWORK_RULES for violation in rule(network, board))


def format_violations(network: Network, board: Board) -> tuple[Violation, ...]:
    """What no simulator of this board's chip would run either: the rules over formats of numbers."""
    return tuple(violation for rule in FORMAT_RULES for violation in rule(network, board))


def max_pooling(network: Network, board: Board) -> Iterator[Violation]:
    """Gates that pass the busiest neuron's spikes exist on no Loihi."""
    for population in network.populations:
        if not population.on_chips:
            remedy = "use average pooling or strides, and train again; the emulator runs it"
            yield Violation(population.name, "max_pooling", 1, 0, True, remedy, "loihiconv.core.network.MaxPool")


def graded_spikes(network: Network, board: Board) -> Iterator[Violation]:
    """Payloads need as many bits as a spike carries; on boards without any, the host must compute the first sums."""
    for connection in network.connections if network.fixed_point else ():
        source = network[connection.source]
        if connection.on_host or (source.spiking and not source.graded):
            continue
        bits = source.largest_message.bit_length() + (source.smallest_message < 0)
        if bits > board.graded_spike_bits.value:
            remedy = f"use {source.setting_without}" if source.spiking else 'convert for this board, or use input_coding="rate"'
            yield violation(connection.name, "graded_spike_bits", bits, board.graded_spike_bits, remedy)


def delays(network: Network, board: Board) -> Iterator[Violation]:
    """A skip waits as many steps as it jumps over layers."""
    for connection in network.connections:
        if network.delay(connection) > board.max_delay.value:
            yield violation(connection.name, "max_delay", network.delay(connection), board.max_delay, "let the skip jump over fewer layers")


def weight_bits(network: Network, board: Board) -> Iterator[Violation]:
    """Weights on the chip are whole numbers within 8 bits, even where signs mix."""
    for connection in network.connections if network.fixed_point else ():
        weight = connection.map.weight
        if not on_chip(network, connection, board) or not weight.size or not network[connection.target].on_chips:
            continue  # what leads to gates only says which spikes are compared
        signs = mixed(weight)
        step = 2 ** (8 - board.weight_bits.value + signs)
        largest, broken = int(np.abs(weight).max()), int((weight % step != 0).sum())
        if largest > 256 - step:
            yield violation(connection.name, "weight_bits", largest.bit_length() + signs, board.weight_bits, "convert for this board")
        elif broken:
            quantity = f"weights that are no multiples of {step}"
            yield Violation(connection.name, quantity, broken, 0, True, "convert for this board", board.weight_bits.source)


def thresholds(network: Network, board: Board) -> Iterator[Violation]:
    """A threshold is mantissa * 2^exponent: on Loihi 1 with two compartments per neuron, at most 255 * 2^7."""
    for population in network.populations if network.fixed_point else ():
        if isinstance(population, Integrator) and population.spiking:
            vth, bits, exponent = int(population.unit(0)), board.vth_mantissa_bits.value, board.vth_exponent_max.value
            odd = vth >> min(exponent, _trailing_zeros(vth))
            if odd.bit_length() > bits:
                yield violation(population.name, "vth_mantissa_bits", odd.bit_length(), board.vth_mantissa_bits, "convert for this board")


def biases(network: Network, board: Board) -> Iterator[Violation]:
    """A bias is a 13-bit mantissa * 2^exponent, at most 4095 * 2^7."""
    for population in network.layers if network.fixed_point else ():
        if not isinstance(population, Integrator) or driven_by_host(network, population.name):
            continue  # what the host loads in place of it is never larger
        if (largest := int(np.abs(population.bias).max(initial=0))) > BIAS_MAX:
            yield Violation(population.name, "bias", largest, BIAS_MAX, True, "convert for this board", board.bias_mantissa_bits.source)


def accumulators(network: Network, board: Board) -> Iterator[Violation]:
    """The worst sum of weights per step fits the synaptic accumulator; sources disagree on its width."""
    if not network.fixed_point or not all(p.on_chips for p in network.populations):
        return
    largest = 2 ** (board.accumulator_bits.value - 1) - 1
    for name, bound in worst_cases(network).items():
        if bound.sum > largest:
            limit = board.accumulator_bits
            remedy = "a worst case that real inputs hardly reach; use fewer inputs per neuron or smaller weights to be safe"
            yield Violation(name, "sum of weights per step", int(bound.sum), largest, limit.certain, remedy, limit.source)


def start_potentials(network: Network, board: Board) -> Iterator[Violation]:
    """Start potentials fit the registers of v."""
    limit = board.state_bits
    largest = 2 ** (limit.value - 1) - 1
    for population in network.layers if network.fixed_point else ():
        if isinstance(population, Integrator) and (found := int(np.abs(population.v_init).max(initial=0))) > largest:
            yield Violation(population.name, "v_init", found, largest, True, "lower start", limit.source)


def wide_convolutions(network: Network, board: Board) -> Iterator[Violation]:
    """Intel's compiler warns of images wider than 256 under a convolution: spikes of some columns might get lost."""
    if board.compiler is None:
        return
    limit = board.compiler.convolution_inputs
    remedy = f"spikes of columns {limit.value} n - 1 and beside them might get dropped, says Intel's compiler; use a narrower image"
    for connection in network.connections:
        width = geometry(network, connection.source)[2]
        if width > limit.value and is_shared(connection) and on_chip(network, connection, board):
            yield violation(connection.name, "convolution_inputs", width, limit, remedy)


FORMAT_RULES: tuple[NetworkRule, ...] = (graded_spikes, weight_bits, thresholds, biases, start_potentials)
"""Rules over formats of numbers."""
NETWORK_RULES: tuple[NetworkRule, ...] = (*FORMAT_RULES, max_pooling, delays, accumulators, wide_convolutions)
"""Rules over a network by itself."""


def stuck(layer: Layer, demand: Demand) -> Violation:
    """Why a population cannot be cut into slices that fit a core: what even the demand of one neuron breaks."""
    board = layer.board
    words = board.synapse_words_per_axon
    if demand.axons_in > board.input_axons_per_core.value:
        other = f"or keep them an image, up to {CHANNELS_PER_AXON} channels of which share an axon"
        if board.compiler is not None:
            other = "by strides or fewer channels before, or use a convolution"
        remedy = f"fan-in of a neuron: reduce its inputs, {other}"
        return violation(layer.name, "input_axons_per_core", demand.axons_in, board.input_axons_per_core, remedy)
    if demand.words > board.synapse_memory_words.value:
        return violation(layer.name, "synapse_memory_words", demand.words, board.synapse_memory_words, f"fan-in of a neuron: {DENSER}")
    if words is not None and demand.longest > words.value:
        return violation(layer.name, "synapse_words_per_axon", demand.longest, words, DENSER)
    if demand.compartments > board.neurons_per_core.value:
        return violation(layer.name, "neurons_per_core", demand.compartments, board.neurons_per_core, DENSER)
    return violation(layer.name, "input_axons_per_core", demand.axons_in, board.input_axons_per_core, f"no cut was found; {DENSER}")


def violation(layer: str, quantity: str, value: int, limit: Limit, remedy: str) -> Violation:
    """A limit of a board that a layer breaks."""
    return Violation(layer, quantity, value, limit.value, limit.certain, remedy, limit.source)


def _trailing_zeros(value: int) -> int:
    return (value & -value).bit_length() - 1 if value else 0
