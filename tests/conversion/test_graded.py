"""Graded spikes: one neuron and one gate worked out by hand, scales and limits, and a whole conversion through Lava."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.ann.graph import Relu
from loihiconv.backends.deploy import deploy
from loihiconv.conversion.calibration import calibrate
from loihiconv.conversion.measuring import read
from loihiconv.conversion.quantization import quantize
from loihiconv.conversion.scales import choose_scales
from loihiconv.conversion.settings import Settings
from loihiconv.core.errors import InvalidModel, LimitExceeded, UnsupportedLayer
from loihiconv.core.linear import Array, Conv, Dense
from loihiconv.core.network import IF, SUM_LIMIT, V_MAX, Connection, Input, MaxPool, Network, Readout
from loihiconv.evaluation.compare import mismatches
from loihiconv.hardware.board import load_board
from loihiconv.hardware.board_fields import Limit
from loihiconv.hardware.place import place
from loihiconv.lava.client import run_lava
from loihiconv.simulator import simulate
from tests import naive
from tests.evaluation.good import converted, data, with_max_pooling


def neuron(payload_max: int, *, timesteps: int, vth: int = 10, v_init: int = 0, bias: int = 0) -> Network:
    """A neuron that gets its input's value, times 64, at each step; and a readout."""
    zero, one = np.zeros(1, np.int32), Dense(np.ones((1, 1), np.int32))
    populations = (
        Input("input", (1,), scale=127.0, payload_max=127, signed=True),
        IF("hidden", (1,), vth, np.array([v_init], np.int32), np.array([bias], np.int32), payload_max=payload_max),
        Readout("readout", (1,), zero, zero),
    )
    return Network(populations, (Connection("input", "hidden", one), Connection("hidden", "readout", one)), timesteps, fixed_point=True)


@pytest.mark.parametrize("portable", [False, True])
@pytest.mark.parametrize(
    ("value", "fields", "payloads", "v"),
    [
        # 25, 50 - 20 = 30 of 10 each, which is 3 and leaves nothing
        (25, {}, [2, 3, 2, 3], 0),
        # at most 3: 45 leaves 15, 60 leaves 30, 75 leaves 45, 90 leaves 60
        (45, {}, [3, 3, 3, 3], 60 * 64),
        # exactly the threshold is one; a binary neuron would wait for more
        (10, {"v_init": -640}, [0, 1, 1, 1], 0),
        (10, {"v_init": -641}, [0, 0, 1, 1], 639),
        # no spikes below zero, however far
        (-7, {}, [0, 0, 0, 0], -28 * 64),
        (-7, {"v_init": 640}, [0, 0, 0, 0], -18 * 64),
        (0, {"v_init": 30 * 64, "bias": -320}, [2, 0, 0, 0], -10 * 64),
        # 24 bits: v saturates at 2^23 - 1 = 131071 * 64 + 63 before it spikes
        (0, {"vth": 131071, "v_init": V_MAX, "bias": V_MAX}, [1, 1, 1, 1], 63),
        (0, {"vth": 1, "v_init": V_MAX, "bias": V_MAX}, [3, 3, 3, 3], V_MAX - 3 * 64),
        (0, {"v_init": -V_MAX, "bias": -V_MAX}, [0, 0, 0, 0], -V_MAX),
    ],
)
def test_one_neuron_by_hand(value: int, fields: dict[str, int], payloads: list[int], v: int, portable: bool) -> None:
    network, x = neuron(3, timesteps=4, **fields), np.array([[value]], np.float32)
    recording = simulate(network, x, record=["spikes", "potentials", "residuals"], portable=portable)
    assert recording.spikes["hidden"].dtype == np.uint8
    assert recording.spikes["hidden"][0, :, 0].tolist() == payloads
    assert recording.residuals["hidden"].item() == v
    assert recording.potentials.item() == 64 * sum(payloads)
    assert recording.payload_sums["hidden"].item() == recording.sent("hidden").item() == sum(payloads)
    fired = sum(p > 0 for p in payloads)
    assert recording.spike_counts["hidden"].item() == fired
    assert recording.firing_rates == {"hidden": fired / 4}
    assert recording.synaptic_operations == 4 * (value != 0) + fired
    naive.check_spikes(recording, naive.simulate(network, x))


def test_binary_neurons_record_no_payloads() -> None:
    recording = simulate(neuron(1, timesteps=4), np.array([[25.0]]), record=["spikes"])
    assert not recording.payload_sums
    assert recording.spikes["hidden"].dtype == bool
    assert recording.sent("hidden").item() == recording.spike_counts["hidden"].item() == 4


def test_a_gate_by_hand() -> None:
    """Units start at 50 and 0 and get 12 and 35 of thresholds of 10: sums 6, 7, 8, 9 and 3, 7, 10, 14."""
    zero = np.zeros(1, np.int32)
    start = np.array([[[50 * 64, 0]]], np.int32)
    populations = (
        Input("input", (1, 1, 2), scale=255.0, payload_max=255),
        IF("hidden", (1, 1, 2), 10, start, np.zeros((1, 1, 1), np.int32), payload_max=7),
        MaxPool("gate", (1, 1, 1), payload_max=7),
        Readout("readout", (1,), zero, zero),
    )
    one = np.ones((1, 1, 1, 1), np.int32)
    maps = (Conv(one), Conv(np.ones((1, 1, 1, 2), np.int32)), Dense(one[0, 0]))
    names = [p.name for p in populations]
    connections = tuple(Connection(a, b, m) for a, b, m in zip(names, names[1:], maps, strict=False))
    network = Network(populations, connections, 4, fixed_point=True)
    for portable in (False, True):
        spikes = simulate(network, np.array([[[[12, 35]]]], np.float32), record=["spikes"], portable=portable).spikes
        assert spikes["hidden"][0, :, 0, 0].cumsum(axis=0).T.tolist() == [[6, 7, 8, 9], [3, 7, 10, 14]]
        assert spikes["gate"].ravel().tolist() == [6, 1, 3, 4]
    with pytest.raises(InvalidModel, match="gate: pools payloads of up to 7, made for 3"):
        replace(network, populations=(*populations[:2], replace(populations[2], payload_max=3), populations[3]))
    with pytest.raises(InvalidModel, match="gate: pools payloads of up to 7"):
        replace(network, populations=(*populations[:2], replace(populations[2], estimate="average"), populations[3]))


@pytest.mark.parametrize(("payload_max", "reset"), [(0, "subtract"), (256, "subtract"), (3, "zero")])
def test_networks_refuse_payloads_that_no_spike_carries(payload_max: int, reset: str) -> None:
    network = neuron(1, timesteps=1)
    hidden = replace(network.populations[1], payload_max=payload_max, reset=reset)
    with pytest.raises(InvalidModel, match=f"hidden: payloads of up to {payload_max}; 1 to 255 expected"):
        replace(network, populations=(network.populations[0], hidden, network.populations[2]))


@pytest.mark.parametrize("scale", ["percentile", "mse"])
@pytest.mark.parametrize("per_channel", [False, True])
def test_scales_are_those_of_one_threshold(scale: str, per_channel: bool) -> None:
    """λ / Γ: by percentile exactly the binary one's part, by error that of Γ times as many steps."""
    from loihiconv.demo import digits_cnn

    x = data()[0][:60]
    ann = read(digits_cnn(), x[:4]).ann
    statistics = calibrate(ann, x, per_channel=per_channel)
    given: dict[str, Any] = {"scale": scale, "per_channel": per_channel}
    graded = choose_scales(ann, statistics, Settings(4, spike_bits=3, **given))
    binary = choose_scales(ann, statistics, Settings(4 if scale == "percentile" else 28, **given))
    for node in ann:
        if node.name in graded:
            part = 7 if isinstance(node, Relu) else 1
            np.testing.assert_allclose(graded[node.name], binary[node.name] / part, err_msg=node.name)


def test_boards_without_graded_spikes_refuse_by_name() -> None:
    with pytest.raises(
        LimitExceeded, match=r"spike_bits: graded spikes of 4 bits; .*: spikes are binary; use spike_bits=1, or a board with Loihi 2"
    ):
        converted(board="nahuku32", spike_bits=4)
    board = load_board("kapoho_point")
    narrow = board.model_copy(update={"graded_spike_bits": Limit(value=3, source="this test", note="")})
    network = converted(board=None, spike_bits=4, timesteps=2)
    with pytest.raises(LimitExceeded, match=rf"{network.populations[1].name}: graded spikes of 4 bits; .*: spikes carry 3 bits; use"):
        quantize(network, narrow)
    net = quantize(network, board)
    refused = [
        v.layer for v in place(net, load_board("nahuku32")).violations if v.quantity == "graded_spike_bits" and "spike_bits=1" in v.remedy
    ]
    assert refused == [c.name for c in net.connections if c.source != "input"]
    assert not [v for v in place(net, board).violations if v.quantity == "graded_spike_bits"]


def test_sums_of_payloads_stay_within_17_bits() -> None:
    for bits in (2, 4, 6):
        net = lc.convert(lc.demo.digits_cnn(), data()[0][:50], board="kapoho_point", spike_bits=bits, timesteps=2)
        assert net.payload_max == 2**bits - 1
        assert all(p.payload_max == net.payload_max for p in net.populations if isinstance(p, IF))
        assert max(entry.sum for entry in net.record.bounds.values()) < SUM_LIMIT
        assert all(np.abs(c.map.weight).max() <= 255 for c in net.connections)


def test_notes_name_layers_that_payloads_leave_few_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """288 inputs of a convolution, which gets no exponent here; the dense layer behind it does, and keeps its bits."""
    monkeypatch.setattr("loihiconv.conversion.coarse_weights.COARSE", np.inf)
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10)
    ).eval()
    x = data()[0][:50]
    wide = lc.convert(model, x, board="kapoho_point", spike_bits=7, timesteps=2)
    (note,) = [text for text in wide.record.notes if "payloads" in text]
    assert note.startswith("2: payloads of up to 127 leave its weights 5.")
    assert re.search(r"as sums must stay below 2\^17; use spike_bits=\d$", note)
    assert wide.record.quantization["5"].weight_bits_used > 7
    kept = lc.convert(model, x, board="kapoho_point", spike_bits=4, timesteps=2)
    assert not [text for text in kept.record.notes if "payloads" in text]
    assert kept.record.quantization["2"].weight_bits_used > 6 > wide.record.quantization["2"].weight_bits_used


@pytest.mark.parametrize("way", ["atrlif", "lif", "native", "loihi", "deploy"])
def test_no_neuron_program_for_the_chip_yet(way: str, tmp_path: Any) -> None:
    net, x = converted(spike_bits=4, timesteps=2), data()[2][:2]
    ways: dict[str, Any] = {"deploy": lambda: deploy(net, x, tmp_path / "folder"), "loihi": lambda: lc.run(net, x, "loihi")}
    run = ways.get(way, lambda: lc.run(net, x, realization=way))
    with pytest.raises(UnsupportedLayer, match=r"graded spikes need a neuron program .*; convert with spike_bits=1; the emulator and Lava"):
        run()
    assert not list(tmp_path.iterdir())


def outputs(net: Network, x: Array) -> Array:
    """Of the emulator, in units of the float network's."""
    return np.asarray(lc.run(net, x).potentials / (net.readout.scale * net.timesteps))


@pytest.mark.parametrize("timesteps", [2, 4])
@pytest.mark.parametrize(("bits", "options"), [(2, {}), (4, {"maxpool": "gate"}), (3, {"maxpool": "relu-tree"})], ids=str)
def test_closer_to_the_float_network_than_binary(timesteps: int, bits: int, options: dict[str, Any]) -> None:
    x = data()[2][:200]
    model = with_max_pooling() if "maxpool" in options else lc.demo.digits_cnn()
    with torch.no_grad():
        wanted = model(torch.from_numpy(x)).numpy()
    errors = []
    for some in (1, bits):
        net = lc.convert(model, data()[0][:100], board="kapoho_point", timesteps=timesteps, spike_bits=some, **options)
        errors.append(np.sqrt(np.mean((outputs(net, x) - wanted) ** 2)))
    assert errors[1] < errors[0] / 2


@pytest.mark.lava
@pytest.mark.parametrize(("bits", "maxpool"), [(2, "gate"), (4, "gate"), (8, "gate"), (4, "relu-tree"), (8, "relu-tree")])
@pytest.mark.parametrize("stock", [False, True])
def test_lava_sends_every_payload(bits: int, maxpool: Any, stock: bool, lava_python: str, tmp_path: Any) -> None:
    """Also in runs that were saved before, and with the largest payloads that there are."""
    x = data()[2][:3]
    net = lc.convert(with_max_pooling(), data()[0][:100], board="kapoho_point", timesteps=3, spike_bits=bits, maxpool=maxpool)
    lc.save(net, tmp_path / "net.lnet")
    emulated = lc.run(net, x, record=["spikes", "potentials"])
    lava = run_lava(lc.load(tmp_path / "net.lnet"), x, record=["spikes", "potentials"], stock_models=stock)
    assert max(int(s.max()) for s in emulated.spikes.values()) > 2 ** (bits - 1)
    spikes, potentials = mismatches(emulated, lava)
    assert (set(spikes.values()), potentials) == ({0}, 0)
    assert set(lava.payload_sums) == set(emulated.payload_sums) == {p.name for p in net.populations if p.spiking}
    for name, sums in emulated.payload_sums.items():
        np.testing.assert_array_equal(lava.payload_sums[name], sums, err_msg=name)
        np.testing.assert_array_equal(lava.spike_counts[name], emulated.spike_counts[name], err_msg=name)
    np.testing.assert_array_equal(lava.potentials_over_time, emulated.potentials_over_time)
    assert lava.firing_rates == pytest.approx(emulated.firing_rates)


@pytest.mark.lava
def test_another_payload_is_a_mismatch(lava_python: str) -> None:
    """Both spike, with other payloads: a comparison must not take that for the same."""
    network, other = neuron(7, timesteps=4), neuron(3, timesteps=4)
    x = np.array([[45.0]])
    spikes, _ = mismatches(simulate(network, x, record=["spikes"]), run_lava(other, x, record=["spikes"]))
    assert spikes == {"hidden": 4}


def test_a_report_says_that_spikes_are_graded() -> None:
    from loihiconv.report.page import page

    x, y = data()[2][:60], data()[3][:60]
    net = converted(spike_bits=4, timesteps=2)
    comparison = lc.compare(lc.demo.digits_cnn(), net, (x, y), explain=True)
    assert comparison.to_json()["payload_max"] == 15
    assert "graded spikes with payloads of up to 15" in page(comparison)
    assert comparison.analysis is not None
    hidden = [layer for layer in comparison.analysis.waterfall.layers if layer.kind == "spiking"]
    assert {layer.largest for layer in hidden} == {15}
    assert all(layer.rate_histogram[-1] == 0 for layer in hidden)
    assert max(float(layer.scatter[1].max()) for layer in hidden) > 1
    binary = lc.compare(lc.demo.digits_cnn(), converted(timesteps=2), (x, y))
    assert "graded" not in page(binary)
    assert binary.payload_max == 1
