"""Joint quantization of thresholds, weights and biases: the function is kept, and no range is left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.conversion.gains import representable_threshold
from loihiconv.conversion.quantization import check_payload, narrow_weights, quantize, without_idle_channels
from loihiconv.core.bounds import worst_cases
from loihiconv.core.errors import InvalidModel, LimitExceeded
from loihiconv.core.fixed_point import BIAS_MAX, join_bias, round_bias, round_weights, split_bias
from loihiconv.core.linear import Array, Conv, Dense, Sparse
from loihiconv.core.network import IF, V_MAX, Connection, Input, Network, Readout
from loihiconv.core.record import ConversionRecord, LayerRecord
from loihiconv.hardware.board import load_board

LOIHI2, LOIHI1 = load_board("kapoho_point"), load_board("kapoho_bay")


def chain(
    weights: list[Array], biases: list[float] | None = None, *, timesteps: int = 16, coding: str = "analog", signed: bool = False
) -> Network:
    """Dense layers with thresholds 1 and a readout, in float."""
    biases = biases or [0.0] * len(weights)
    populations: list[Input | IF | Readout] = [Input("input", (weights[0].shape[1],), coding, signed=signed)]  # type: ignore[arg-type]
    connections = []
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        last = i == len(weights) - 1
        name, shape, b = ("readout" if last else f"dense{i}"), (len(weight),), np.full(1, bias, np.float32)
        start = np.full(1, 0.5, np.float32)
        populations.append(Readout(name, shape, 0 * start, b) if last else IF(name, shape, 1.0, start, b))
        connections.append(Connection(populations[-2].name, name, Dense(weight.astype(np.float32))))
    return Network(tuple(populations), tuple(connections), timesteps)


def two_neurons(bias: list[float], weight: list[list[float]]) -> Network:
    net = chain([np.array(weight), np.array([[1.0, 1.0]])])
    return replace(net, populations=(net["input"], replace(net["dense0"], bias=np.array(bias, np.float32)), net["readout"]))


def test_channels_that_no_input_makes_spike_take_no_range() -> None:
    net = two_neurons([0.1, -500.0], [[0.5, -0.25], [80.0, -90.0]])
    for board in (LOIHI1, LOIHI2):
        found, alone = quantize(net, board), quantize(two_neurons([0.1, -1.0], [[0.5, -0.25], [0.0, 0.0]]), board)
        assert found["dense0"].vth == alone["dense0"].vth  # type: ignore[union-attr]
        np.testing.assert_array_equal(found.connections[0].map.weight, alone.connections[0].map.weight)
        np.testing.assert_array_equal(found["dense0"].bias, alone["dense0"].bias)  # type: ignore[union-attr]


def test_channels_that_some_input_makes_spike_stay_as_they_are() -> None:
    # largest sums: 80 of one pixel; with signed payloads 80 + 90 of both
    net = two_neurons([-79.9, -80.0], [[80.0, -90.0], [80.0, -90.0]])
    changed = without_idle_channels(net)
    np.testing.assert_allclose(changed["dense0"].bias, [-79.9, -1.0])  # type: ignore[union-attr]
    np.testing.assert_array_equal(changed.connections[0].map.weight, [[80, -90], [0, 0]])
    signed = replace(net, populations=(Input("input", (2,), "analog", signed=True), *net.populations[1:]))
    np.testing.assert_array_equal(without_idle_channels(signed).connections[0].map.weight, [[80, -90], [80, -90]])


def test_a_channel_of_images_is_idle_where_it_is_everywhere() -> None:
    populations = (
        Input("input", (1, 3, 3), "analog"),
        IF("conv", (2, 3, 3), 1.0, np.full(1, 0.5, np.float32), np.array([-3.0, -2.9], np.float32).reshape(2, 1, 1)),
        Readout("readout", (2, 3, 3), np.zeros(1, np.float32), np.zeros(1, np.float32)),
    )
    ones = Conv(np.full((2, 1, 1, 3), 1, np.float32), padding=(0, 0, 1, 1))
    one = Conv(np.full((2, 2, 1, 1), 1, np.float32))
    changed = without_idle_channels(Network(populations, (Connection("input", "conv", ones), Connection("conv", "readout", one)), 4))
    np.testing.assert_array_equal(changed.connections[0].map.weight[:, 0, 0], [[0, 0, 0], [1, 1, 1]])
    np.testing.assert_array_equal(changed["conv"].bias.ravel(), np.array([-1, -2.9], np.float32))  # type: ignore[union-attr]


def test_a_channel_is_not_idle_that_some_place_can_make_spike() -> None:
    """Two channels of two places with synapses of their own: one of the second's can spike."""
    populations = (
        Input("input", (4,), "analog"),
        IF("maps", (2, 2, 1), 1.0, np.full(1, 0.5, np.float32), np.array([-3.0, -1.0], np.float32).reshape(2, 1, 1)),
        Readout("readout", (1,), np.zeros(1, np.float32), np.zeros(1, np.float32)),
    )
    each = Sparse(np.array([1, 1, 1, 2], np.float32), np.arange(4), np.arange(4), (2, 2, 1), (4,))
    network = Network(
        populations, (Connection("input", "maps", each), Connection("maps", "readout", Dense(np.ones((1, 4), np.float32)))), 4
    )
    np.testing.assert_array_equal(without_idle_channels(network).connections[0].map.weight, [0, 0, 1, 2])


@given(st.integers(-BIAS_MAX, BIAS_MAX))
def test_bias_is_the_nearest_the_chip_can_hold(value: int) -> None:
    mantissa, exponent = split_bias(np.array(value))
    assert -4096 <= mantissa <= 4095
    assert 0 <= exponent <= 7
    assert abs(int(join_bias(mantissa, exponent)) - value) <= 2 ** max(int(exponent) - 1, 0)
    if abs(value) <= 4095:
        assert join_bias(mantissa, exponent) == value


def test_bias_by_hand() -> None:
    # 10000 = 2500 * 4 needs an exponent of 2; 4097 is nearest to 2048 * 2 (halves go to even)
    np.testing.assert_array_equal(split_bias(np.array([10000, -4095, 4097, 524160])), [[2500, -4095, 2048, 4095], [2, 0, 1, 7]])
    with pytest.raises(ValueError, match="524160"):
        split_bias(np.array([524161]))


def test_weights_by_hand() -> None:
    np.testing.assert_array_equal(round_weights(np.array([-3.2, 2.9, 300, -0.9])), [-4, 2, 254, 0])
    np.testing.assert_array_equal(round_weights(np.array([3.2, 2.9, 300])), [3, 3, 255])
    np.testing.assert_array_equal(round_weights(np.array([-3.2, 2.9, 300]), weight_bits=4), [0, 0, 224])


@pytest.mark.parametrize(("value", "expected"), [(0.7, 0), (1.9, 1), (255.5, 255), (257, 256), (1000, 1000), (1001, 1000), (1e6, 255 << 7)])
def test_loihi1_thresholds_are_mantissa_and_exponent(value: float, expected: int) -> None:
    assert representable_threshold(value, LOIHI1) == expected
    assert representable_threshold(value, LOIHI2) == min(int(value), 2**17 - 1)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.floats(-4, 3),
    st.floats(-4, 1),
    st.integers(1, 300),
    st.sampled_from(["analog", "rate"]),
    st.booleans(),
    st.sampled_from([LOIHI1, LOIHI2]),
)
def test_everything_stays_in_range(
    seed: int, size: float, bias_size: float, timesteps: int, coding: str, signed: bool, board: object
) -> None:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(0, 10**size, (20, 30)), rng.normal(0, 0.3, (8, 20))]
    network = chain(weights, [10**bias_size, -(10**bias_size)], timesteps=timesteps, coding=coding, signed=signed and coding == "analog")
    try:
        q = quantize(network, board)  # type: ignore[arg-type]
    except LimitExceeded:
        return
    for connection in q.connections:
        weight = connection.map.weight
        assert weight.dtype == np.int32
        if not connection.on_host:
            assert np.abs(weight).max() <= 254 + (weight >= 0).all()
            assert (weight % 2 == 0).all() or (weight >= 0).all() or (weight <= 0).all()
    for name, worst in worst_cases(q).items():
        assert worst.sum < 2**17, name
    for population in q.populations[1:]:
        assert not isinstance(population, Input)
        assert np.abs(population.v_init).max() <= V_MAX
        on_host = any(c.on_host for c in q.incoming(population.name))
        assert on_host or (round_bias(population.bias) == population.bias).all()
        if isinstance(population, IF):
            assert 1 <= population.vth <= board.vth_max  # type: ignore[attr-defined]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_function_is_kept(seed: int) -> None:
    """Weights over threshold, and biases over threshold, differ from the float ones by at most half a step."""
    rng = np.random.default_rng(seed)
    network = chain([rng.normal(0, 0.2, (20, 30)), rng.normal(0, 0.2, (5, 20))], [0.03, -0.02], coding="rate")
    q = quantize(network, LOIHI2)
    population = q["dense0"]
    assert isinstance(population, IF)
    error = q.connections[0].map.weight / population.vth - network.connections[0].map.weight
    assert np.abs(error).max() <= 1.001 / population.vth  # weights of mixed sign are even: half a step is 1
    assert abs(population.bias / 64 / population.vth - 0.03).max() <= 64 / 64 / population.vth
    assert q.record.quantization["dense0"].weight_bits_used > 7.9


def test_unit_weights_stay_exact() -> None:
    """Networks with weights of +-1 (BinaryConnect) lose nothing."""
    weight = np.sign(np.random.default_rng(0).normal(size=(16, 16))) / 4
    q = quantize(chain([weight, weight], coding="rate"), LOIHI2)
    population = q["dense0"]
    assert isinstance(population, IF)
    np.testing.assert_array_equal(q.connections[0].map.weight / population.vth, weight)


def test_host_takes_the_sum_where_the_board_has_no_graded_spikes() -> None:
    rng = np.random.default_rng(0)
    network = chain([rng.normal(0, 0.2, (20, 30)), rng.normal(0, 0.2, (5, 20))], [0.1, 0.1])
    assert [c.on_host for c in quantize(network, LOIHI1).connections] == [True, False]
    assert [c.on_host for c in quantize(network, LOIHI2).connections] == [False, False]


def test_wide_first_layers_trade_payload_bits_for_weight_bits() -> None:
    rng = np.random.default_rng(0)
    narrow = quantize(chain([rng.normal(0, 0.3, (8, 4)), np.eye(8)]), LOIHI2)
    wide = quantize(chain([rng.normal(0, 0.3, (8, 4000)), np.eye(8)]), LOIHI2)
    assert wide.input.payload_max < narrow.input.payload_max == 255


@pytest.mark.parametrize(
    ("weight", "bias", "message"),
    [
        (np.full((2, 2), 1e9), 0.0, "dense0: weights of input->dense0 leave a threshold of"),
        (np.full((2, 2), 0.1), 1e6, "dense0: bias leave"),
        (np.full((2, 300_000), 1.0), 0.0, "dense0: .* 17 bits"),
    ],
)
def test_refuses_what_no_gain_can_express(weight: Array, bias: float, message: str) -> None:
    with pytest.raises(LimitExceeded, match=message):
        quantize(chain([weight, np.ones((2, 2))], [bias, 0.0], coding="rate"), LOIHI2)


def test_one_bit_holds_weights_of_one_sign_only() -> None:
    board = LOIHI2.model_copy(update={"weight_bits": LOIHI2.weight_bits.model_copy(update={"value": 1})})
    assert quantize(chain([np.ones((2, 2)), np.ones((2, 2))], coding="rate"), board).fixed_point
    with pytest.raises(LimitExceeded, match=r"dense0: .* both signs, .* 1 bit holds nothing but 0; weight_bits of at least 2"):
        quantize(chain([np.array([[1.0, -1.0], [1.0, 1.0]]), np.ones((2, 2))], coding="rate"), board)


def test_refuses_nan() -> None:
    weight = np.ones((2, 2))
    weight[0, 1] = np.nan
    with pytest.raises(InvalidModel, match="dense0: weights hold NaN"):
        quantize(chain([weight, np.ones((2, 2))]), LOIHI2)


def test_origin_is_the_float_network() -> None:
    network = chain([np.ones((2, 2)), np.ones((2, 2))])
    q = quantize(network, LOIHI2)
    assert q.origin is network
    assert q.fixed_point
    assert not network.fixed_point


def test_sums_are_bounded_for_convolutions_and_several_connections() -> None:
    big = Conv(np.full((3, 200, 3, 3), 1.0, np.float32), padding=(1, 1, 1, 1))
    start = np.full((1, 1, 1), 0.5, np.float32)
    populations = (
        Input("input", (200, 4, 4), "rate"),
        IF("a", (200, 4, 4), 1.0, start, 0 * start),
        IF("b", (3, 4, 4), 1.0, start, 0 * start),
        Readout("r", (1,), np.zeros(1), np.zeros(1)),
    )
    one = Conv(np.ones((200, 1, 1, 1), np.float32), groups=200)
    maps = (Connection("input", "a", one), Connection("a", "b", big), Connection("input", "b", replace(big)))
    q = quantize(Network(populations, (*maps, Connection("b", "r", Dense(np.ones((1, 48), np.float32)))), 4), LOIHI2)
    assert worst_cases(q)["b"].sum == 2 * 1800 * q.connections[1].map.weight.max() < 2**17
    assert q.connections[1].map.weight.max() == q.connections[2].map.weight.max() > 30


@pytest.mark.parametrize(("largest", "board", "fits"), [(1, "nahuku8", True), (2, "nahuku8", False), (2**24 - 1, "kapoho_point", True)])
def test_payloads_that_a_board_carries(largest: int, board: str, fits: bool) -> None:
    if fits:
        check_payload(largest, "a", load_board(board))
    else:
        with pytest.raises(LimitExceeded, match=r"a: graded spikes of 2 bits; .* spikes are binary; use spike_bits=1"):
            check_payload(largest, "a", load_board(board))


def test_payloads_beyond_what_a_board_carries() -> None:
    with pytest.raises(LimitExceeded, match=r"a: graded spikes of 25 bits; .*spikes carry 24 bits"):
        check_payload(2**24, "a", LOIHI2)


@pytest.mark.parametrize(("bits", "advice"), [(6.0, None), (5.99, 7), (5.0, 7), (4.9, 6), (1.0, 3), (0.0, 2)])
def test_layers_that_payloads_leave_few_bits(bits: float, advice: int | None) -> None:
    """Payloads of b bits give back log2(255 / (2^b - 1)) of weights, which want 6."""
    network = chain([np.eye(2), np.ones((1, 2))], coding="rate")
    graded = replace(network, populations=(network.input, replace(network["dense0"], payload_max=255), network.readout))  # type: ignore[type-var]
    for cause, said in (("synaptic sum of 17 bits", advice), ("bias", None)):
        notes = narrow_weights(replace(graded, record=ConversionRecord(quantization={"readout": LayerRecord(9, cause, bits)})))
        assert len(notes) == (said is not None)
        assert all(note.endswith(f"use spike_bits={said}") for note in notes)
