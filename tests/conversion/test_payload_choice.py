"""Which payloads an analog input gets: the error that is predicted for them is the one that is measured."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.conversion import gains, payload_choice, quantization
from loihiconv.conversion.adaptive_rounding import Covariance, Covariances
from loihiconv.conversion.exponents import mean_loss
from loihiconv.conversion.quantization import quantize
from loihiconv.core.input_coding import payloads
from loihiconv.core.linear import Array, Conv, Dense, LinearMap
from loihiconv.core.network import IF, Connection, Input, Network, Readout
from loihiconv.core.record import CalibrationSummary, ConversionRecord
from loihiconv.hardware.board import Board
from loihiconv.hardware.limits import network_violations
from tests.conversion.test_quantization import LOIHI2, chain


def driven(linear: LinearMap, source: Input, bias: float = 0.0, *, payload_errors: dict[int, float] | None = None) -> Network:
    """A layer that signed samples, evenly spread over -1 to 1, drive; a bias makes its gain small."""
    shape = linear.output_shape(source.shape)
    start, size = np.full((1,) * len(shape), 0.5, np.float32), int(np.prod(shape))
    populations = (source, IF("a", shape, 1.0, start, start * 0 + np.float32(bias)), Readout("r", (1,), np.zeros(1), np.zeros(1)))
    connections = (Connection("input", "a", linear), Connection("a", "r", Dense(np.ones((1, size), np.float32))))
    measured = CalibrationSummary(input_mean_square=1 / 3, payload_errors=payload_errors or {})
    return Network(populations, connections, 16, record=ConversionRecord(calibration=measured))


def predicted(network: Network, payload_max: int, covariances: Covariances | None = None) -> float:
    source = replace(network.input, payload_max=payload_max)
    choice = payload_choice.Choice(network, {"input": source})
    return payload_choice._current_error(choice, network["a"], LOIHI2, covariances or {})


def measured(network: Network, payload_max: int, x: Array) -> float:
    """Mean square error of a layer's current per step, in thresholds, by computing it."""
    source = replace(network.input, payload_max=payload_max)
    _, (connection, *_), entry = gains.quantize_population(network, network["a"], {"input": source}, LOIHI2, {})
    sent = payloads(source, x)
    exact = network.connections[0].map.apply(payloads(replace(source, payload_max=0), x).astype(np.float64))
    found = connection.shifted(connection.map.apply(sent.astype(np.int64))) + mean_loss(connection)
    return float(np.mean((found / entry.gain - exact) ** 2))


def samples(*shape: int, levels: int = 0) -> Array:
    """Evenly spread over -1 to 1; with levels, multiples of 1 / levels."""
    x = np.random.default_rng(1).uniform(-1, 1, (1000, *shape))
    return np.rint(x * levels) / levels if levels else x


RNG = np.random.default_rng(0)
DENSE = Dense(RNG.normal(0, 0.3, (200, 12)).astype(np.float32))
SIGNED = Input("input", (12,), signed=True)


@pytest.mark.parametrize("payload_max", [127, 31, 15])
@pytest.mark.parametrize("bias", [0.0, 15.0, 100.0, 2000.0])
def test_error_of_dense_layers(payload_max: int, bias: float) -> None:
    """Without an exponent, and with ever smaller ones."""
    network = driven(DENSE, SIGNED, bias)
    assert predicted(network, payload_max) == pytest.approx(measured(network, payload_max, samples(12)), rel=0.1)


def test_samples_that_payloads_meet_exactly_have_no_error_of_their_own() -> None:
    network = driven(DENSE, SIGNED, payload_errors={15: 0.0})
    assert predicted(network, 15) == pytest.approx(measured(network, 15, samples(12, levels=15)), rel=0.15)
    assert predicted(network, 15) < 0.3 * predicted(network, 31)


def test_error_of_convolutions_with_a_bias_plane() -> None:
    """What the plane sends is always the same and exact; it has one weight of each output."""
    weight = RNG.normal(0, 0.3, (300, 4, 1, 1)).astype(np.float32)
    weight[:, 3] *= 3
    network = driven(Conv(weight), Input("input", (4, 1, 1), signed=True, bias_plane=True))
    for payload_max in (127, 15):
        assert predicted(network, payload_max) == pytest.approx(measured(network, payload_max, samples(3, 1, 1)), rel=0.1)


def test_error_with_covariances() -> None:
    """Of inputs that do not go together it is the same; where it is larger on samples not seen, by as much."""
    network = driven(DENSE, SIGNED, payload_errors={127: 0.0})
    known = Covariance(np.eye(12)[None] / 3, inf)
    plain = predicted(network, 127)
    assert predicted(network, 127, {"a": (known,)}) == pytest.approx(plain)
    assert predicted(network, 127, {"a": (replace(known, optimism=3.0),)}) == pytest.approx(3 * plain)


@pytest.mark.parametrize(("coding", "largest"), [("analog", 15), ("rate", 255)])
def test_many_inputs_leave_payloads_4_bits(coding: str, largest: int) -> None:
    wide = chain([np.random.default_rng(0).normal(0, 0.3, (2, 100_000)), np.eye(2)], coding=coding)
    assert quantize(wide, LOIHI2).input.payload_max == largest


@pytest.mark.parametrize(("share", "exponent"), [(0.9, 0), (1.1, -2)])
def test_an_exponent_is_weighed_with_the_square_of_payloads(share: float, exponent: int) -> None:
    """Weights of 50.5 and payloads of up to 255: 2 (1/2)^2 E[payload^2] against (1 - 1/4) / 12 for what a shift by 2 cuts off."""
    network = chain([np.array([[50.5, -50.5]]), np.eye(1)], [32.1, 0.0])
    square = share * 2 * 0.0625 / 255**2
    known = CalibrationSummary(input_mean_square=square, payload_errors={255: 0.0})
    net = quantize(replace(network, record=ConversionRecord(calibration=known)), LOIHI2)
    assert (net.input.payload_max, net["dense0"].vth, net.connections[0].weight_exp) == (255, 255, exponent)  # type: ignore[union-attr]


@pytest.mark.parametrize(("share", "planed"), [(0.39, True), (0.41, False)])
def test_a_bias_plane_must_pay(share: float, planed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """To 0.7 of the error, that of T = 16 steps included: 1 / (12 T^2) on both sides, so 0.4 where the rest is as large."""
    steps = 1 / (12 * 16**2)

    def best(choice: payload_choice.Choice, source: Input, *_: object) -> payload_choice.Choice:
        inputs = {"input": replace(source, payload_max=255)}
        return replace(choice, inputs=inputs, error=(share if source.bias_plane else 1) * steps)

    monkeypatch.setattr(payload_choice, "_best_payload", best)
    network = chain([np.ones((2, 2)), np.eye(2)], [0.5, 0.0])
    assert quantize(network, LOIHI2).input.bias_plane is planed


def narrow(bits: int) -> Board:
    """A board of a user's whose spikes carry fewer bits."""
    return LOIHI2.model_copy(update={"graded_spike_bits": LOIHI2.graded_spike_bits.model_copy(update={"value": bits})})


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [0, 1, 2, 3, 5, 8, 32])
def test_payloads_fit_what_the_boards_spikes_carry(bits: int, signed: bool) -> None:
    """Down to two bits, of which one may be the sign; one bit is the spike itself, and the host then sums as where there is none."""
    board = narrow(bits)
    network = quantize(chain([np.array([[0.9, -0.3], [0.2, 0.7]]), np.ones((1, 2))], signed=signed), board)  # checks every limit at its end
    assert network.connections[0].on_host == (bits < 2)
    if 2 <= bits < 4:  # fewer than ours leave no choice
        assert network.input.payload_max == 2 ** (bits - signed) - 1
    assert bits < 2 or network.input.payload_max < 2 ** (min(bits, 8) - signed)
    assert not [v for v in network_violations(network, board) if v.certain]


def test_a_board_of_few_bits_runs_what_is_converted_for_it() -> None:
    x = np.random.default_rng(0).random((30, 6)).astype(np.float32)
    net = lc.convert(nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)), x, board=narrow(2), timesteps=8)
    assert net.input.payload_max == 3
    assert lc.place(net, narrow(2)).fits


def inhibited(timesteps: int, height: int = 6, copies: int = 1) -> tuple[Network, Array]:
    """A converted network whose first convolution, driven by payloads, falls far at every step; and samples."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(48 * height, 3))
    x = np.random.default_rng(0).random((60, 1, height, 6)).astype(np.float32)
    return lc.convert(model.eval(), x, board="kapoho_point", timesteps=timesteps, copies=copies), x


@pytest.mark.parametrize(("timesteps", "written_out"), [(4, False), (64, True)])
def test_a_convolution_is_written_out_where_long_windows_would_leave_its_potentials_no_room(timesteps: int, written_out: bool) -> None:
    net, x = inhibited(timesteps)
    assert (net.connections[0].weight_exp < 0) is written_out
    assert net.record.quantization["0"].weight_bits_used > 6
    assert not lc.run(net, x).saturated


@pytest.mark.parametrize(
    ("copies", "error", "tried"),
    [
        (1, 0.9, ["shared"]),
        (1, 1.1, ["shared", "written out", "no room"]),
        (4, 0.9, ["shared", "written out"]),  # copies round less, and saturate as all others do
        (4, 0.05, ["shared"]),
    ],
)
def test_what_is_tried_for_an_error(copies: int, error: float, tried: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """In units of `ROOM_COST`."""
    found: list[str] = []
    net = inhibited(4, copies=copies)[0].origin
    assert net is not None

    def same(choice: payload_choice.Choice, *_: object) -> payload_choice.Choice:
        freed = not choice.network.record.calibration.potentials
        found.append("no room" if freed else "written out" if choice.unshared else "shared")
        return replace(choice, error=error * payload_choice.ROOM_COST)

    monkeypatch.setattr(payload_choice, "_best_of_planes", same)
    payload_choice.best_inputs(net, LOIHI2, {})
    assert found == tried


def test_weights_stay_shared_where_the_board_could_not_hold_all_synapses(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def no_room(network: Network, board: Board) -> object:
        tried.append(network.connections[0].weight_exp)
        return SimpleNamespace(fits=False)

    monkeypatch.setattr(quantization, "place", no_room)
    net, _ = inhibited(64)
    assert tried
    assert all(exponent < 0 for exponent in tried)
    assert net.connections[0].weight_exp == 0
