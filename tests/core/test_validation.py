"""The one validator: each rule by a network that breaks it and nothing else, and random networks, which break none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from loihiconv.core.artifact import load
from loihiconv.core.errors import ArtifactError, InvalidModel, LimitExceeded
from loihiconv.core.fixed_point import BIAS_MAX
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, V_MAX, Connection, Input, MaxPool, Network, Readout, save
from loihiconv.core.validation import check_shape, check_threshold, validate
from loihiconv.hardware.board import Board, load_board
from loihiconv.hardware.validation import validate as validate_on
from tests.boarded import boarded
from tests.strategies import Case, cases

NOTHING = np.zeros(1, np.int32)
RIGHT = Network(
    (
        Input("input", (4,), scale=255.0, payload_max=255),
        IF("hidden", (3,), 500, NOTHING, NOTHING),
        Readout("readout", (2,), NOTHING, NOTHING, scale=64.0),
    ),
    (
        Connection("input", "hidden", Dense(np.full((3, 4), 2, np.int32))),
        Connection("hidden", "readout", Dense(np.array([[2, -4, 254], [-254, 0, 2]], np.int32))),
    ),
    8,
    fixed_point=True,
)


def changed(index: int, **fields: Any) -> Network:
    """The right network, with other fields in one population."""
    populations = list(RIGHT.populations)
    populations[index] = replace(populations[index], **fields)
    return replace(RIGHT, populations=tuple(populations))


def joined(index: int, **fields: Any) -> Network:
    """The right network, with other fields in one connection."""
    connections = list(RIGHT.connections)
    connections[index] = replace(connections[index], **fields)
    return replace(RIGHT, connections=tuple(connections))


def weighted(index: int, weight: Any, dtype: Any = np.int32) -> Network:
    return joined(index, map=Dense(np.array(weight, dtype)))


def test_what_is_right_passes() -> None:
    validate(RIGHT)
    validate(changed(1, vth=2**17 - 1, v_init=np.array([V_MAX]), bias=np.array([-BIAS_MAX, 4095, 8190])))
    validate(changed(1, vth=1.0))
    validate(weighted(0, [[255, 1, 0, 0]] + [[3, 1, 1, 1]] * 2))
    validate(joined(0, weight_exp=-8))


def test_what_no_file_can_hold() -> None:
    with pytest.raises(InvalidModel, match="readout: a scale of nan"):
        validate(changed(2, scale=float("nan")))
    with pytest.raises(InvalidModel, match="hidden: v_init of type int32; an array expected"):
        validate(changed(1, v_init=np.int32(0)))


BROKEN: list[tuple[Network, type[Exception], str]] = [
    (replace(RIGHT, timesteps=0), InvalidModel, "timesteps: T = 0 .* at least 1"),
    (replace(RIGHT, timesteps=-1, populations=(*RIGHT.populations[:2], RIGHT.readout)), InvalidModel, "timesteps: T = -1 .* at least 1"),
    (replace(changed(1, silent=3, bias=np.array([4095 * 128] * 3)), timesteps=40), LimitExceeded, r"hidden: v_init \+ T bias of magnitude"),
    (weighted(1, [[2, -3, 4], [0, 0, 0]]), LimitExceeded, "hidden->readout: a weight of -3; even numbers .*convert again"),
    (weighted(1, [[300, 2, 4], [0, 0, 0]]), LimitExceeded, "hidden->readout: a weight of 300"),
    (weighted(1, [[256, 2, 4], [0, 0, 0]]), LimitExceeded, "hidden->readout: a weight of 256"),
    (weighted(1, [[256, -2, 4], [0, 0, 0]]), LimitExceeded, "hidden->readout: a weight of 256"),
    (weighted(1, np.ones((2, 3)), np.float32), InvalidModel, "hidden->readout: weights of type float32; int32"),
    (weighted(0, np.full((3, 4), 129)), LimitExceeded, r"hidden: the sum .* can reach 131580; below 2\^17"),
    (joined(1, weight_exp=1), LimitExceeded, "hidden->readout: weight_exp = 1; -8 to 0"),
    (joined(1, weight_exp=-9), LimitExceeded, "hidden->readout: weight_exp = -9"),
    (joined(0, on_host=True, weight_exp=20), LimitExceeded, "input->hidden: weight_exp = 20; -64 to 19"),
    (joined(0, on_host=True, weight_exp=-65), LimitExceeded, "input->hidden: weight_exp = -65; -64 to 19"),
    (replace(joined(0, on_host=True), populations=changed(0, coding="rate").populations), InvalidModel, "input->hidden: the host cannot"),
    (joined(1, on_host=True), InvalidModel, "hidden->readout: the host cannot compute this sum"),
    (weighted(1, np.full((2, 3), 2), np.int16), InvalidModel, "hidden->readout: weights of type int16; int32"),
    (changed(1, vth=0), InvalidModel, "hidden: vth of 0; a number above 0"),
    (changed(2, scale=0.0), InvalidModel, "readout: a scale of 0; a number above 0"),
    (changed(1, vth=-5), InvalidModel, "hidden: vth of -5; a number above 0"),
    (changed(1, vth=2**17), LimitExceeded, "hidden: vth = 131072; a whole number from 1 to 131071"),
    (changed(1, vth=1.5), LimitExceeded, "hidden: vth = 1.5"),
    (changed(1, v_init=np.array([V_MAX + 1])), LimitExceeded, r"hidden: v_init of magnitude 8388608; at most 2\^23 - 1"),
    (changed(1, v_init=np.array([np.nan])), InvalidModel, "hidden: v_init of type float64"),
    (changed(1, bias=np.array([4097])), LimitExceeded, "hidden: a bias of 4097; mantissa"),
    (changed(1, bias=np.array([BIAS_MAX + 128])), LimitExceeded, "hidden: a bias of 524288"),
    (changed(1, bias=np.zeros(2, np.int32)), InvalidModel, r"hidden: biases of shape \(2,\); the population's shape \(3,\)"),
    (changed(0, payload_max=0), InvalidModel, "input: payloads of up to 0; 1 to 255"),
    (changed(0, payload_max=256), InvalidModel, "input: payloads of up to 256"),
    (changed(0, scale=0.0), InvalidModel, "input: a scale of 0.0"),
    (changed(0, coding="poisson", signed=True), InvalidModel, "input: signed values in poisson coding; .*analog"),
    (changed(0, seed=2**64), InvalidModel, "input: seed 18446744073709551616"),
    (changed(2, rate=0.0), InvalidModel, "readout: a rate of 0.0"),
]


@pytest.mark.parametrize(("network", "error", "message"), BROKEN)
def test_each_rule(network: Network, error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message) as caught:
        validate(network)
    assert "\n" not in str(caught.value)
    save(network, tmp_path / "forged.lnet")
    with pytest.raises(ArtifactError, match=r"forged\.lnet: holds no network that can run: ") as refused:
        load(tmp_path / "forged.lnet")
    assert "\n" not in str(refused.value)


def test_an_input_whose_spikes_nothing_takes_is_refused() -> None:
    silent = Input("silent", (2,), "rate", payload_max=7)
    network = changed(0, scale=1.0)
    validate(replace(network, populations=(replace(silent, coding="analog"), *network.populations)))
    with pytest.raises(InvalidModel, match="silent: sends spikes that nothing takes; give it coding"):
        validate(replace(network, populations=(silent, *network.populations)))


def test_a_float_network_has_finite_numbers() -> None:
    def floats(bias: float) -> Network:
        readout = Readout("readout", (1,), np.zeros(1, np.float32), np.array([bias], np.float32))
        return Network((Input("input", (1,)), readout), (Connection("input", "readout", Dense(np.ones((1, 1), np.float32))),), 4)

    validate(floats(0.5))
    logical = replace(floats(0.5).connections[0], map=Dense(np.ones((1, 1), bool)))
    with pytest.raises(InvalidModel, match="input->readout: weights of type bool; numbers expected"):
        validate(replace(floats(0.5), connections=(logical,)))
    with pytest.raises(InvalidModel, match="readout: biases hold NaN or infinity; finite numbers expected; train"):
        validate(floats(np.inf))
    with pytest.raises(InvalidModel, match="readout: biases hold NaN"):
        validate(replace(RIGHT, origin=floats(np.nan)))


def test_a_population_beside_the_way_to_the_readout_is_refused() -> None:
    lost = IF("lost", (3,), 500, NOTHING, NOTHING)
    populations = (*RIGHT.populations[:2], lost, RIGHT.readout)
    connection = Connection("input", "lost", Dense(np.full((3, 4), 2, np.int32)))
    with pytest.raises(InvalidModel, match="lost: has no way to the readout"):
        validate(replace(RIGHT, populations=populations, connections=(*RIGHT.connections, connection)))
    behind = Connection("hidden", "lost", Dense(np.full((3, 3), 2, np.int32)))
    validate(replace(RIGHT, populations=populations, connections=(*RIGHT.connections, behind)))  # Lava runs it


def test_where_sums_end() -> None:
    """514 x 255 + 1 is the largest sum that u takes, 2^17 - 1, of either sign; one more would wrap."""
    assert 514 * 255 + 1 == 2**17 - 1
    for sign in (1, -1):
        validate(single([255] * 514 + [1], sign))
        with pytest.raises(LimitExceeded, match=r"readout: the sum of weight x payload can reach 131072; below 2\^17 = 131072"):
            validate(single([255] * 514 + [2], sign))


def single(weights: list[int], sign: int = 1, *, payload: int = 1, weight_exp: int = 0, repeated: int = 1) -> Network:
    """All inputs, with payloads of up to ``payload``, into one readout; over several connections of the same weights."""
    populations = (Input("input", (len(weights),), payload_max=payload), Readout("readout", (1,), NOTHING, NOTHING))
    connection = Connection("input", "readout", Dense(sign * np.array([weights], np.int32)), weight_exp=weight_exp)
    return Network(populations, (connection,) * repeated, 4, fixed_point=True)


def test_what_windows_beyond_a_small_image_would_add_does_not_count() -> None:
    """A kernel of which half lies beyond the only pixel; its sum is shifted right by one bit, which rounds towards minus infinity.

    255 x 1028 + 3 = 262143 is shifted to 131071 and -262143 to -131072, which a sum of 17 bits would not hold.
    """

    def windows(weight: int, last: int) -> Network:
        kernel = np.full((1, 1029, 1, 2), weight, np.int32)
        kernel[0, -1] = last
        populations = (Input("input", (1029, 1, 1), payload_max=1), Readout("readout", (1, 1, 1), NOTHING, NOTHING))
        connection = Connection("input", "readout", Conv(kernel, padding=(0, 0, 0, 1)), weight_exp=-1)
        return Network(populations, (connection,), 4, fixed_point=True)

    validate(windows(255, 3))
    with pytest.raises(LimitExceeded, match="readout: the sum of weight x payload can reach 131072"):
        validate(windows(255, 4))
    validate(windows(-255, -2))
    with pytest.raises(LimitExceeded, match="readout: the sum of weight x payload can reach 131072"):
        validate(windows(-255, -3))


def test_sums_that_float32_would_round() -> None:
    """A sum of |weight| of 514 x 255 + 2 = 2^17 times payloads of 128 is 2^24, before any shift."""
    validate(single([255] * 514 + [1], payload=128, weight_exp=-8))
    with pytest.raises(LimitExceeded, match=r"input->readout: the sum of \|weight x payload\| can reach 16777216; below 2\^24"):
        validate(single([255] * 514 + [2], payload=128, weight_exp=-8))


def test_sums_over_all_connections_that_float32_would_round() -> None:
    """Half of that twice; what the host sums, in float64, is not among it."""
    validate(single([255] * 514 + [1], payload=64, weight_exp=-8, repeated=2))
    with pytest.raises(
        LimitExceeded, match=r"readout: the sum of \|weight x payload\| over all connections can reach 16777216; below 2\^24"
    ):
        validate(single([255] * 514 + [2], payload=64, weight_exp=-8, repeated=2))
    large = joined(0, on_host=True, map=Dense(np.full((3, 4), 2**15, np.int32)), weight_exp=-64)
    assert 2**15 * 4 * 255 > 2**24
    validate(large)


def test_sums_that_the_host_would_round() -> None:
    """4 x 128 x 2^44 = 2^53."""

    def host(weight: int) -> Network:
        weights = Dense(np.full((3, 4), weight, np.int64))
        return replace(joined(0, on_host=True, map=weights, weight_exp=-64), populations=changed(0, payload_max=128).populations)

    validate(host(2**44 - 1))
    with pytest.raises(LimitExceeded, match=r"input->hidden: a sum of \|weight x payload\| can reach 9007199254740992; below 2\^53"):
        validate(host(2**44))


@pytest.mark.parametrize("shape", [(2, 2), (0,), (1, 0, 1), (1, 1, 1, 1)])
def test_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidModel, match=r"input: shape .*; \(n,\) or \(C, H, W\) expected, none of them 0"):
        check_shape(Input("input", shape))
    for right in ((1,), (1, 1, 1)):
        check_shape(Input("input", right))


def test_a_bias_plane_needs_samples_beside_it() -> None:
    def planed(channels: int) -> Network:
        populations = (Input("input", (channels,), payload_max=1, bias_plane=True), Readout("readout", (1,), NOTHING, NOTHING))
        connection = Connection("input", "readout", Dense(np.full((1, channels), 2, np.int32)))
        return Network(populations, (connection,), 4, fixed_point=True)

    validate(planed(2))
    with pytest.raises(InvalidModel, match="input: a bias plane and no channel of the samples' own; at least 2"):
        validate(planed(1))


def test_thresholds_have_17_bits() -> None:
    for vth in (1, 2**17 - 1):
        check_threshold(IF("hidden", (1,), vth, NOTHING, NOTHING))
    for vth in (0, 2**17):
        with pytest.raises(LimitExceeded, match=f"hidden: vth = {vth}; a whole number from 1 to 131071"):
            check_threshold(IF("hidden", (1,), vth, NOTHING, NOTHING))


def test_what_the_host_adds_to_need_not_be_a_bias_of_the_chip() -> None:
    host = joined(0, on_host=True, map=Dense(np.full((3, 4), 3001, np.int32)), weight_exp=-6)
    validate(replace(host, populations=(host.input, replace(host["hidden"], bias=np.array([562_063])), host.readout)))  # type: ignore[arg-type]


def test_windows_of_gates_have_no_exponent() -> None:
    windows = Conv(np.ones((2, 1, 2, 2), np.int32), (2, 2), (0, 0, 0, 0), (1, 1), 2)
    populations = (
        Input("input", (2, 4, 4), "rate", payload_max=255),
        MaxPool("gate", (2, 2, 2)),
        Readout("readout", (1,), NOTHING, NOTHING),
    )
    gate, dense = Connection("input", "gate", windows), Connection("gate", "readout", Dense(np.ones((1, 8), np.int32)))
    validate(Network(populations, (gate, dense), 4, fixed_point=True))
    with pytest.raises(LimitExceeded, match="input->gate: weight_exp = -1; 0 expected"):
        validate(Network(populations, (replace(gate, weight_exp=-1), dense), 4, fixed_point=True))


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (RIGHT, "input->hidden: graded spike bits 8; Nahuku.*: at most 0"),
        (joined(0, on_host=True), None),
        (replace(joined(0, on_host=True), populations=changed(1, vth=257).populations), "hidden: vth mantissa bits 9; .* at most 8"),
    ],
)
def test_a_boards_own_formats(network: Network, message: str | None) -> None:
    board = load_board("nahuku8")
    if message is None:
        validate_on(network, board)
        return
    with pytest.raises(LimitExceeded, match=message):
        validate_on(network, board)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=cases(several=True, separated=True))
def test_random_networks_break_no_rule(case: Case) -> None:
    validate(case.network)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(drawn=boarded())
def test_what_is_quantized_breaks_no_rule_of_its_board(drawn: tuple[Board, Case]) -> None:
    board, case = drawn
    validate_on(case.network, board)
