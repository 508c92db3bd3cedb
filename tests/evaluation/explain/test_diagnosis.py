"""Eight faults planted in good networks: the first sentence names fault and layer. And good networks get none."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from benchmarks import data as datasets
from benchmarks import nets
from loihiconv.conversion.settings import Rounding
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.demo import digits_cnn
from loihiconv.evaluation.explain.diagnosis import Diagnosis, diagnose, in_time, weight_precision
from loihiconv.evaluation.explain.evidence import Evidence, gather, other_order
from loihiconv.evaluation.explain.reference import read_reference
from loihiconv.evaluation.explain.waterfall import float_origin, waterfall
from loihiconv.hardware.board import Board, load_board
from tests.evaluation.good import changed, converted, data, hidden, rewired, with_max_pooling

SAMPLES = 120


def gathered(model: nn.Module, net: Network, x: Array, y: Array, calibration: Array | None = None) -> Evidence:
    reference = read_reference(model, float_origin(net))
    chain = waterfall(model, net, (x, y), reference=reference, layer_samples=64)
    return gather(net, chain, reference, x, calibration)


def examine(model: nn.Module, net: Network, x: Array, y: Array, calibration: Array | None = None) -> Diagnosis:
    return diagnose(gathered(model, net, x, y, calibration))


def named(net: Network, *, scale: float = 1.0) -> Diagnosis:
    return examine(digits_cnn(), net, data()[2][:SAMPLES] * np.float32(scale), data()[3][:SAMPLES], data()[0])


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def board_with(bits: int) -> Board:
    board = load_board("kapoho_point")
    return board.model_copy(update={"weight_bits": board.weight_bits.model_copy(update={"value": bits})})


@pytest.mark.parametrize("options", [{}, {"optimize": "none"}])
def test_percentile_50(options: dict[str, str]) -> None:
    verdict = named(converted(percentile=50, **options)).verdict
    assert verdict.startswith("Layer 0: ")
    assert "saturate" in verdict
    assert "raise percentile from 50 to 99.9" in verdict
    assert ("or use per_channel=True" in verdict) == bool(options)


@pytest.mark.parametrize("rounding", ["nearest", "auto"])
def test_weights_at_3_bits(rounding: Rounding) -> None:
    verdict = named(lc.convert(digits_cnn(), data()[0], board=board_with(3), timesteps=32, rounding=rounding)).verdict
    named_layer = "Layer 3" if rounding == "nearest" else "Layer 0"
    assert verdict.startswith(f"{named_layer}: its weights use only 2.0 bits of magnitude")
    assert ('rounding="auto"' in verdict) == (rounding == "nearest")
    assert "choose a board with 8-bit weights" in verdict


def test_weights_of_one_layer_at_3_bits() -> None:
    net = converted()
    (connection,) = net.incoming(hidden(net, 2).name)
    step = 2 * int(np.abs(connection.map.weight).max() // 6)
    coarse = np.clip(np.rint(connection.map.weight / step), -3, 3).astype(np.int32) * step
    found = rewired(net, connection, coarse)
    evidence = gathered(digits_cnn(), found, *(part[:SAMPLES] for part in data()[2:]))
    assert diagnose(evidence).verdict.startswith("Layer 7: its weights use only 2.0 bits of magnitude")
    for cause, remedy in (
        ("weights of 0.negated->7", "the larger weights of 0.negated->7 set the gain of both"),
        (f"weights of {connection.name}", "retrain with weight decay against outliers"),
        ("bias", "the layer's gain is limited by its bias"),
    ):
        entry = replace(net.record.quantization["7"], limited_by=cause)
        record = replace(net.record, quantization={**net.record.quantization, "7": entry})
        (finding,) = weight_precision(replace(evidence, net=replace(found, record=record)))
        assert finding.remedy.removeprefix("use all 8 bits: ").startswith(remedy)


@pytest.mark.parametrize("options", [{}, {"optimize": "none"}])
def test_four_time_steps(options: dict[str, str]) -> None:
    verdict = named(converted(timesteps=4, **options)).verdict
    assert "4 time steps are too few" in verdict
    assert verdict.startswith("Layer ")


def test_a_bias_clipped_by_hand() -> None:
    net = converted(input_coding="rate")
    population = hidden(net, 0)
    limit = int(np.abs(population.bias).max()) // 4
    verdict = named(changed(net, population.name, bias=np.clip(population.bias, -limit, limit))).verdict
    assert verdict.startswith("Layer 0: ")
    assert f"biases are clipped at {limit:,}" in verdict


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_dead_layer(index: int) -> None:
    net = converted()
    population = hidden(net, index)
    (connection,) = net.incoming(population.name)
    dead = rewired(changed(net, population.name, bias=np.zeros_like(population.bias)), connection, np.zeros_like(connection.map.weight))
    assert named(dead).verdict.startswith(f"Layer {population.name}: the layer is dead: no unit spikes")


def test_a_layer_that_is_dead_in_the_float_network() -> None:
    model = digits_cnn()
    with torch.no_grad():
        model[3].bias.fill_(-100.0)
    net = lc.convert(model, data()[0], board="kapoho_point", timesteps=16)
    verdict = examine(model, net, data()[2][:SAMPLES], data()[3][:SAMPLES]).verdict
    assert verdict.startswith("Layer 3: the layer is dead in the float network already")


@pytest.mark.parametrize("calibrated", [False, True])
def test_input_scaled_by_255(calibrated: bool) -> None:
    if calibrated:
        net = lc.convert(digits_cnn(), data()[0] * 255, board="kapoho_point", timesteps=32)
        verdict = named(net).verdict
        assert "1/255 of the 255 of the calibration data" in verdict
    else:
        verdict = named(converted(), scale=255.0).verdict
        assert "255 times the 1 of the calibration data" in verdict
    assert verdict.startswith("input: ")


def test_average_instead_of_max_pooling() -> None:
    model = with_max_pooling()
    net = lc.convert(model, data()[0], board="kapoho_point", timesteps=32, maxpool="average")
    verdict = examine(model, net, data()[2][:SAMPLES], data()[3][:SAMPLES]).verdict
    assert verdict.startswith("Layer 5: average pooling stands in for the model's max pooling")


@pytest.mark.parametrize("maxpool", ["gate", "relu-tree"])
def test_max_pooling_that_is_kept_is_no_fault(maxpool: str) -> None:
    model = with_max_pooling()
    net = lc.convert(model, data()[0], board="kapoho_point", timesteps=64, maxpool=maxpool)
    assert read_reference(model, float_origin(net)).averaged == ()


@pytest.mark.parametrize("both", [False, True])
def test_a_wrong_channel_order_of_a_layer(both: bool) -> None:
    """As if the maps had been flattened (H, W, C): in the integers alone, or in the float network already."""
    net = converted()
    order = np.arange(2048).reshape(32, 8, 8).transpose(1, 2, 0).ravel()
    (connection,) = net.incoming("7")
    planted = rewired(net, connection, connection.map.weight[:, order])
    if both:
        assert net.origin is not None
        (source,) = net.origin.incoming("7")
        planted = replace(planted, origin=rewired(net.origin, source, source.map.weight[:, order]))
    verdict = named(planted).verdict
    assert verdict.startswith("Layer 7: ")
    assert "wrong channel order along its inputs" in verdict


def test_weights_of_another_model() -> None:
    net = converted()
    (connection,) = net.incoming("3")
    other = np.random.default_rng(0).integers(-127, 127, connection.map.weight.shape).astype(np.int32) * 2
    assert named(rewired(net, connection, other)).verdict.startswith("Layer 3: the connection 0->3 has other weights than the model")


def test_a_wrong_channel_order_of_the_data() -> None:
    rng = np.random.default_rng(0)
    mean, deviation = (np.array(values)[:, None, None] for values in ([0.4, 0.42, 0.35], [0.05, 0.02, 0.08]))
    images = mean + rng.normal(0, 0.1, (400, 1, 6, 6)) + rng.normal(0, 1, (400, 3, 6, 6)) * deviation
    assert other_order(images[:200], images[200:]) is None
    assert other_order(images[:200, ::-1], images[200:]) == (2, 1, 0)
    assert other_order(images[:200, [1, 2, 0]], images[200:]) == (1, 2, 0)
    assert other_order(images[:200, :1], images[200:, :1]) is None


@pytest.mark.slow
@pytest.mark.skipif(not (datasets.folder() / "cifar10.npz").exists(), reason="CIFAR-10 is missing: python benchmarks/get_data.py cifar10")
def test_blue_and_red_exchanged_in_cifar10() -> None:
    x_train, _, x, y = datasets.load("cifar10")
    model = nets.trained("cifar10_cnn")
    net = lc.convert(model, x_train[:64], board=None, timesteps=8, bias_correction=False)
    verdict = examine(model, net, x[:256, ::-1], y[:256], x_train[:1000]).verdict
    assert verdict.startswith("input: the test data's channels look like channels 2, 1, 0 of the calibration data, a wrong channel order")
    assert other_order(x[:1000], x_train[:1000]) is None


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"timesteps": 16},
        {"timesteps": 64},
        {"percentile": 99.0},
        {"percentile": 100.0},
        {"per_channel": False},
        {"bias_correction": False},
        {"board": "nahuku32"},
        {"board": None},
        {"input_coding": "rate"},
        {"input_coding": "poisson", "timesteps": 64},
        {"hold_back": 0.0},
        {"scale": "percentile"},
        {"optimize": "none"},
    ],
    ids=str,
)
def test_good_networks_get_no_finding(options: dict[str, object]) -> None:
    diagnosis = named(converted(**options))
    assert diagnosis.findings == ()
    assert diagnosis.healthy
    assert diagnosis.verdict.startswith("No layer stands out: ")


def test_reset_to_zero_is_named() -> None:
    assert 'use reset="subtract"' in named(converted(reset="zero", timesteps=16)).verdict


@pytest.mark.parametrize(
    ("board", "silent", "hold_back", "remedy"),
    [
        ("", 0, 0.5, "use copies=2, or use silent_steps=8, or raise timesteps to 16"),
        ("kapoho_point", 0, 0.5, "use copies=2, if the board holds so many neurons, or raise timesteps to 16"),
        ("kapoho_point", 0, 0.0, "use hold_back=0.5"),
        ("kapoho_point", 3, 0.5, "raise silent_steps to 8"),
        ("", 8, 0.0, "use copies=2, or raise timesteps to 16"),
    ],
)
def test_what_lets_spikes_come_in_time(board: str, silent: int, hold_back: float, remedy: str) -> None:
    """Silent steps are named where no board lacks a program for them, or where they are used already."""
    network: Any = SimpleNamespace(timesteps=8, silent_steps=silent, signed=False, board=board, copies=1)
    evidence: Any = SimpleNamespace(net=network, settings=SimpleNamespace(hold_back=hold_back))
    assert in_time(evidence) == remedy
    network.copies = 16
    assert "copies" not in in_time(evidence)
