"""What stops a population's gain, by hand: each range used to its end, and not beyond."""

from __future__ import annotations

from dataclasses import replace
from math import floor, log2

import numpy as np
import pytest

from loihiconv.conversion.exponents import mean_loss
from loihiconv.conversion.gains import representable_threshold
from loihiconv.conversion.quantization import quantize
from loihiconv.core.bounds import worst_cases
from loihiconv.core.errors import LimitExceeded
from loihiconv.core.fixed_point import BIAS_MAX
from loihiconv.core.linear import Array, Conv, Dense
from loihiconv.core.network import IF, V_MAX, Connection, Input, Network, Readout
from loihiconv.hardware.board import Board
from tests.conversion.test_quantization import LOIHI1, LOIHI2, chain

HALVES = np.array([[0.5, 0.5]])
SPREAD = np.linspace(-1, 1, 41)[None]
"""So many different weights that an exponent pays for them."""


def only(weight: Array, bias: float = 0.0, *, board: Board = LOIHI2, coding: str = "rate", signed: bool = False) -> tuple[Network, IF]:
    """One spiking layer quantized, before a readout of weights of one."""
    net = quantize(chain([weight, np.ones((1, len(weight)))], [bias, 0.0], coding=coding, signed=signed), board)
    population = net["dense0"]
    assert isinstance(population, IF)
    return net, population


def readout(weight: Array, *, timesteps: int = 16, delay: int = 0) -> tuple[Network, float]:
    """A readout alone, and its gain."""
    network = chain([weight], timesteps=timesteps, coding="rate")
    network = replace(network, populations=(network.input, replace(network.readout, delay=delay)))
    net = quantize(network, LOIHI2)
    return net, net.record.quantization["readout"].gain


@pytest.mark.parametrize(
    ("weight", "bits", "largest"),
    [(HALVES, 8, 255), (-HALVES, 8, 255), (HALVES * [[1, -1]], 8, 254), (HALVES, 4, 240), (HALVES * [[1, -1]], 4, 224)],
)
def test_weights_reach_the_largest_of_their_signs(weight: Array, bits: int, largest: int) -> None:
    board = LOIHI2.model_copy(update={"weight_bits": LOIHI2.weight_bits.model_copy(update={"value": bits})})
    net, population = only(weight, 0.5, board=board)  # a bias, or what has no positive weights would never spike
    assert population.vth == 2 * largest
    assert np.abs(net.connections[0].map.weight).tolist() == [[largest, largest]]
    assert net.record.quantization["dense0"].limited_by == "weights of input->dense0"
    assert "weights" in net.tables()[0].rows[1]  # there are no others, so their name is left out


def test_weights_that_meet_payloads_stand_for_a_payload_less() -> None:
    """A payload of 255 stands for 1, so a threshold of 1 is 255 times as large as for spikes; signed ones have 7 bits."""
    net, population = only(HALVES, coding="analog")
    assert (net.input.payload_max, population.vth) == (255, 2 * 255 * 255)
    signed, population = only(HALVES, coding="analog", signed=True)
    assert (signed.input.payload_max, population.vth) == (127, 2 * 255 * 127)


@pytest.mark.parametrize(("bias", "gain"), [(8190.0, 1), (4095.0, 2), (4094.0, 2), (100.0, 81)])
def test_biases_reach_the_largest_of_the_chip(bias: float, gain: int) -> None:
    """64 g |b| <= 524160."""
    net, population = only(HALVES, bias)
    assert population.vth == gain
    assert net.record.quantization["dense0"].limited_by == "bias"
    assert abs(int(population.bias[0])) <= BIAS_MAX


@pytest.mark.parametrize(("value", "found"), [(0.99, 0), (1.0, 1), (1.5, 1), (255 << 7, 255 << 7), ((255 << 7) - 1, 254 << 7)])
def test_thresholds_of_loihi_1(value: float, found: int) -> None:
    assert representable_threshold(value, LOIHI1) == found


def test_what_the_host_computes_is_a_bias_with_the_layers_own() -> None:
    """(1/2 + 1/2 + 3) 64 g <= 524160, g = 2047: the next lower threshold of Loihi 1 is 255 * 2^3. Weights have 15 bits."""
    net, population = only(HALVES, 3.0, board=LOIHI1, coding="analog")
    assert population.vth == 255 << 3
    (weights,) = net.connections[0].map.weight
    exact = 0.5 * 2040 * 64 / net.input.payload_max
    assert 2**14 <= weights.max() < 2**15
    assert abs(weights[0] * 2.0 ** net.connections[0].weight_exp - exact) <= 2.0 ** net.connections[0].weight_exp / 2


@pytest.mark.parametrize("weight", [0.31, 0.47, 0.003, 0.9])
def test_the_hosts_weights_are_the_nearest_of_15_bits(weight: float) -> None:
    net, population = only(np.array([[weight, -weight / 3, weight / 7]]), 0.3, board=LOIHI1, coding="analog")
    connection = net.connections[0]
    exact = np.array([weight, -weight / 3, weight / 7]) * population.vth * 64 / net.input.payload_max
    assert connection.weight_exp == floor(log2(exact.max())) - 14
    assert np.abs(connection.map.weight * 2.0**connection.weight_exp - exact).max() <= 2.0**connection.weight_exp / 2
    assert abs(population.bias[0] - np.float32(0.3) * population.vth * 64) <= 0.5


@pytest.mark.parametrize("start", [0.29999, 0.5, 0.7001])
def test_start_potentials_are_the_nearest(start: float) -> None:
    network = chain([HALVES, np.ones((1, 1))], coding="rate")
    population = replace(network["dense0"], v_init=np.array([start]))  # type: ignore[type-var]
    net = quantize(replace(network, populations=(network.input, population, network.readout)), LOIHI2)
    assert abs(net["dense0"].v_init[0] - start * 510 * 64) <= 0.5  # type: ignore[union-attr]


def test_sums_reach_17_bits_and_no_further() -> None:
    """1024 weights of 1: 128 x 1024 = 2^17 would wrap. 514 of 255 and one of 1 are 2^17 - 1, which does not."""
    other = np.eye(1, 1024) * 255 / 128  # lets the gain be 128 at most
    net, population = only(np.concatenate([np.ones((1, 1024)), other]))
    assert (population.vth, worst_cases(net)["dense0"].sum) == (127, 127 * 1024)
    assert net.record.quantization["dense0"].limited_by == "synaptic sum of 17 bits"
    net, population = only(np.array([[255.0] * 514 + [1.0]]))
    assert (population.vth, worst_cases(net)["dense0"].sum) == (1, 2**17 - 1)


def test_exponents_stop_where_float32_would_round_a_sum() -> None:
    """131072 weights of 1/2 at a gain of 1: 128 x 131072 = 2^24 with the smallest exponent, which one step less halves."""
    net, population = only(np.full((1, 2**17), 0.5) * (np.arange(2**17) > 0), 8190.0)
    assert (population.vth, net.connections[0].weight_exp) == (1, -8)
    net, population = only(np.full((1, 2**17), 0.5), 8190.0)
    assert (population.vth, net.connections[0].weight_exp) == (1, -7)


@pytest.mark.parametrize("inputs", [4000, 40_000])
def test_wide_layers_that_payloads_drive_keep_their_exponent(inputs: int) -> None:
    """Sums shrink with the gain first; only what float32 would round of them then costs bits."""
    net, _ = only(np.random.default_rng(0).normal(0, 0.3, (2, inputs)), coding="analog")
    entry = net.record.quantization["dense0"]
    assert entry.limited_by == "synaptic sum of 17 bits"
    assert entry.weight_bits_used > 7
    assert net.connections[0].weight_exp <= -5


def test_biases_give_back_what_shifts_cut_off() -> None:
    """In the small one of two biases, of which the large one stops the gain at 81."""
    network = chain([np.array([[0.3, -0.1, 0.02]] * 2), np.ones((1, 2))], coding="rate")
    biased = replace(network["dense0"], bias=np.array([100.0, 0.01]))  # type: ignore[type-var]
    net = quantize(replace(network, populations=(network.input, biased, network.readout)), LOIHI2)
    loss, population = mean_loss(net.connections[0]), net["dense0"]
    assert isinstance(population, IF)
    assert (population.vth, round(64 * loss)) == (81, 24)
    assert population.bias[1] == round(0.01 * 81 * 64 + 64 * loss)


def test_weights_that_would_all_be_lost_are_refused() -> None:
    with pytest.raises(LimitExceeded, match=r"dense0: all weights round to zero, because bias stop at a gain of 1;"):
        only(np.array([[1e-4, -1e-5]]), 8190.0)


@pytest.mark.parametrize(("timesteps", "delay"), [(16, 0), (16, 4), (5, 0)])
def test_a_readout_has_room_for_twice_the_largest_output(timesteps: int, delay: int) -> None:
    """64 g T 2 = 2^23 - 1, with the steps that it integrates; weights of 0.9 of their limit leave that as it is."""
    gain = V_MAX / 64 / (timesteps - delay) / 2
    net, found = readout(0.9 * 254 / gain * SPREAD, timesteps=timesteps, delay=delay)
    assert found == pytest.approx(gain, rel=1e-12)
    assert net.readout.scale == pytest.approx(V_MAX / (timesteps - delay) / 2)
    assert net.record.quantization["readout"].limited_by == "potential of the readout over T steps"


@pytest.mark.parametrize(("share", "filled"), [(0.49, 0.98), (0.55, 1.0), (0.71, 1.0), (0.73, 0.73), (0.99, 0.99)])
@pytest.mark.parametrize("exponent", [0, -1, -5, -7])
def test_a_readout_fills_the_range_of_its_weights(share: float, filled: float, exponent: int) -> None:
    """Weights between 1/2 and 0.72 of their limit give up gain, to be doubled once more; what is below is doubled anyway."""
    gain = V_MAX / 64 / 16 / 2
    weight = share * 254 / gain * 2.0**exponent
    net, found = readout(weight * SPREAD)
    assert found == pytest.approx(gain * 0.5 / share if 0.5 < share < 0.72 else gain)
    assert abs(int(net.connections[0].map.weight.max()) - filled * 254) <= 1


def test_at_the_smallest_exponent_there_is_nothing_to_fill() -> None:
    gain = V_MAX / 64 / 16 / 2
    weight = 0.6 * 254 / gain * 2.0**-8
    net, found = readout(weight * SPREAD)
    assert (found, net.connections[0].weight_exp) == (pytest.approx(gain), -8)


def test_the_connection_that_fills_least_decides() -> None:
    """Of 0.6 and 0.9 of the range: the former's weights become 1, the latter's 0.75."""
    gain = V_MAX / 64 / 16 / 2
    network = chain([np.eye(41), 0.6 * 254 / gain * SPREAD], coding="rate")
    second = Connection("input", "readout", Dense((0.9 * 254 / gain * SPREAD).astype(np.float32)))
    net = quantize(replace(network, connections=(*network.connections, second)), LOIHI2)
    assert net.record.quantization["readout"].gain == pytest.approx(gain * 0.5 / 0.6)
    assert [int(c.map.weight.max()) for c in net.incoming("readout")] == [254, 190]


def convolved(used: float, coding: str = "rate") -> Connection:
    """A convolution whose largest weight is ``used`` without an exponent: the bias stops at a gain of 10."""
    start = np.full((1, 1, 1), 0.5, np.float32)
    weight = np.array([used / 10, used / 20], np.float32).reshape(1, 2, 1, 1)
    if coding == "analog":
        weight *= 255
    populations = (
        Input("input", (2, 2, 2), coding),  # type: ignore[arg-type]
        IF("a", (1, 2, 2), 1.0, start, np.broadcast_to(np.array([819.0, 400.0], np.float32), (1, 2, 2))),
        Readout("r", (1,), np.zeros(1), np.zeros(1)),
    )
    connections = (Connection("input", "a", Conv(weight)), Connection("a", "r", Dense(np.ones((1, 4), np.float32))))
    net = quantize(Network(populations, connections, 16), LOIHI2)
    assert isinstance(net["a"], IF)
    assert net["a"].vth == 10
    return net.connections[0]


def test_convolutions_shift_below_4_bits() -> None:
    """log2(15 + 1) = 4. Where payloads drive them, it is what they err by that decides."""
    assert convolved(15.3).weight_exp == 0
    assert convolved(14.7).weight_exp == -4
    assert convolved(1.2, "analog").weight_exp < 0
