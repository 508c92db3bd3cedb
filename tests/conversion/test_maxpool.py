"""Max-pooling three ways: gates that pass the busiest unit's spikes, a tree of ReLUs, and averages."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import loihiconv as lc
from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import MaxPool as AnnMaxPool
from loihiconv.ann.passes import lower
from loihiconv.conversion.measuring import read
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, Connection, Input, MaxPool, Network, Readout
from loihiconv.lava.client import run_lava
from loihiconv.simulator import simulate


def pooled(kernel: int = 2, stride: int = 2, padding: int = 0, *, relu: bool = True, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    layers = [nn.Conv2d(2, 4, 3, padding=1), *([nn.ReLU()] if relu else []), nn.MaxPool2d(kernel, stride, padding), nn.Conv2d(4, 6, 2)]
    model = nn.Sequential(*layers, nn.ReLU(), nn.Flatten(), nn.LazyLinear(5))
    model(torch.zeros(1, 2, 8, 8))
    return model


def data(n: int = 60) -> np.ndarray:
    return np.random.default_rng(1).random((n, 2, 8, 8)).astype(np.float32)


def one_window(estimate: str, timesteps: int, decay: int = 5) -> Network:
    """Units of one 2x2 window, whose rates are payloads over 4, behind a gate."""
    zero = np.zeros(1, np.int32)
    populations = (
        Input("input", (1, 2, 2), "rate", scale=4, payload_max=4),
        MaxPool("gate", (1, 1, 1), estimate, decay),  # type: ignore[arg-type]
        Readout("readout", (1,), zero, zero),
    )
    windows = Conv(np.ones((1, 1, 2, 2), np.int32))
    connections = (Connection("input", "gate", windows), Connection("gate", "readout", Dense(np.ones((1, 1), np.int32))))
    return Network(populations, connections, timesteps, fixed_point=True)


def test_gate_passes_as_many_spikes_as_the_busiest_unit_sends() -> None:
    model, x = pooled(3, 2, 1), data()
    net = lc.convert(model, x, board="kapoho_point", timesteps=20, maxpool="gate")
    recording = lc.run(net, x, record=["spikes"])
    source, gate = (torch.from_numpy(recording.spikes[name].cumsum(axis=1).astype(np.float32)) for name in ("0", "2"))
    expected = torch.nn.functional.max_pool2d(source.flatten(0, 1), 3, 2, 1)
    np.testing.assert_array_equal(gate.flatten(0, 1).numpy(), expected.numpy())


def test_gates_by_hand() -> None:
    """Rates 1/4, 3/4, 2/4 and 0: neurons that start at half of 4 spike when their sum is above 4."""
    x = np.array([[[[1, 3], [2, 0]]]], np.float32)
    spikes = simulate(one_window("count", 8), x, record=["spikes"]).spikes
    # 2 + 3 = 5 spikes, 1 + 3 = 4 does not, 7, 6, 5, 4, ...: the second unit spikes in all steps but every fourth
    assert spikes["input"][0, :, 0, 0, 1].astype(int).tolist() == [1, 0, 1, 1, 1, 0, 1, 1]
    assert spikes["input"][0, :, 0, 1, 0].astype(int).tolist() == [0, 1, 0, 1, 0, 1, 0, 1]
    # in step 2 the third unit draws level, and the second keeps the maximum
    assert spikes["gate"][0, :, 0, 0, 0].astype(int).tolist() == [1, 0, 1, 1, 1, 0, 1, 1]
    # averages with decay 1 halve in each step: after step 2 they are 4096 against 2048, and the third unit passes
    short = simulate(one_window("average", 4, decay=1), x, record=["spikes"]).spikes["gate"]
    assert short[0, :, 0, 0, 0].astype(int).tolist() == [1, 1, 1, 1]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.booleans(), st.integers(0, 99))
def test_relu_tree_is_max_pooling(kernel: int, stride: int, padding: int, relu: bool, seed: int) -> None:
    padding = min(padding, kernel // 2) if relu else 0
    model = pooled(kernel, stride, padding, relu=relu, seed=seed).double()
    x = torch.randn(3, 2, 8, 8, dtype=torch.float64)
    ann, _ = lower(read_torch(model, (2, 8, 8)), "relu-tree")
    assert not any(isinstance(node, AnnMaxPool) for node in ann)
    with torch.no_grad():
        np.testing.assert_allclose(Evaluator(ann, dtype=torch.float64)(x)[0].numpy(), model(x).numpy(), atol=1e-12)


def test_relu_tree_has_synapses_of_one_and_the_scale_of_what_it_pools() -> None:
    net = lc.convert(pooled(), data(), board="kapoho_point", timesteps=64, maxpool="relu-tree")
    assert [p.name for p in net.populations[2:6]] == ["2.max0", "2.max1", "2.max2", "2"]
    scales = net.record.calibration.scales
    assert all(scales[name] == scales["0"] for name in ("2.max0", "2.max1", "2.max2", "2"))
    for connection in net.connections:
        if connection.target.startswith("2"):
            population = net[connection.target]
            assert isinstance(population, IF)
            assert set(np.abs(connection.map.weight / population.vth).ravel().tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("maxpool", ["gate", "relu-tree"])
@pytest.mark.parametrize("per_channel", [False, True])
def test_potentials_approach_the_float_network(maxpool: str, per_channel: bool) -> None:
    model, x = pooled(3, 2, 1), data()
    net = lc.convert(model, x, board=None, timesteps=500, percentile=100, maxpool=maxpool, per_channel=per_channel)  # type: ignore[arg-type]
    with torch.no_grad():
        expected = model(torch.from_numpy(x)).numpy()
    recording = lc.run(net, x, "float")
    found = recording.potentials / (500 * net.readout.scale)
    assert np.abs(found - expected).max() < 0.06 * np.abs(expected).max()


def test_average_says_what_it_costs() -> None:
    model, x = pooled(), data()
    with pytest.warns(UserWarning, match=r"average pooling .* another class on \d+\.\d% of 60 calibration samples"):
        net = lc.convert(model, x, board="kapoho_point", timesteps=8, maxpool="average")
    averaged, _ = read(model, x[:1], "average")
    with torch.no_grad():
        differ = (Evaluator(averaged)(x)[0].argmax(1) != model(torch.from_numpy(x)).argmax(1)).double().mean()
    assert any(f"another class on {float(differ):.1%} of" in note for note in net.record.notes)


def test_boards_and_check_say_that_no_chip_has_gates() -> None:
    with pytest.warns(UserWarning, match="2: no chip has gates"):
        net = lc.convert(pooled(), data(), board="kapoho_bay", timesteps=8, maxpool="gate")
    assert any("2: no chip has gates" in note for note in net.record.notes)
    assert [v.quantity for v in lc.place(net, "kapoho_bay").violations if v.certain] == ["max_pooling"]
    found = lc.check(pooled(), data(1), "kapoho_bay", maxpool="gate")
    assert found.ok
    assert [(layer.name, layer.kind) for layer in found.layers][2] == ("2", "max-pooling")
    assert any("simulators only" in note and "relu-tree" in note and "average" in note for note in found.notes)
    for tree in (lc.check(pooled(), data(1), "kapoho_bay", maxpool="relu-tree"), lc.check(pooled(), data(1), "kapoho_bay")):
        assert [layer.name for layer in tree.layers][2:6] == ["2.max0", "2.max1", "2.max2", "2"]
        assert not any("gate" in note for note in tree.notes)
    assert lc.check(pooled(), data(1)).layers == found.layers


@pytest.mark.parametrize("board", ["kapoho_point", "nahuku32"])
def test_what_is_converted_for_a_board_fits_it(board: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net = lc.convert(pooled(3, 2, 1), data(), board=board, timesteps=8)
    assert net.record.settings["maxpool"] == "relu-tree"
    assert not any(isinstance(p, MaxPool) for p in net.populations)
    assert lc.place(net, board).fits


def test_what_does_not_spike_is_refused_or_goes_into_a_tree() -> None:
    model = pooled(relu=False)
    for board, maxpool in ((None, "gate"), ("kapoho_point", "relu-tree")):
        network = lc.convert(model, data(), board=board, timesteps=4, maxpool=maxpool)
        assert not any(isinstance(p, MaxPool) for p in network.populations)
    assert lc.check(model, data(1)).ok
    first = nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32, 3))
    with pytest.raises(UnsupportedLayer, match="max-pools analog input"):
        lc.convert(first, data(), board=None, timesteps=4)
    assert "0" in lc.convert(first, data(), board="kapoho_point", timesteps=4, input_coding="rate", maxpool="gate")


def test_pooling_of_sums_and_averages_gets_a_population_of_its_own() -> None:
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.AvgPool2d(2), nn.MaxPool2d(3), nn.Flatten(), nn.Linear(3, 2))
    net = lc.convert(model, data(), board="kapoho_point", timesteps=8, maxpool="gate")
    assert [type(p) for p in net.populations] == [Input, IF, IF, MaxPool, Readout]


def test_malformed_gates_are_refused() -> None:
    net = one_window("count", 4)
    two = replace(net.connections[0], map=Conv(np.full((1, 1, 2, 2), 2, np.int32)))
    with pytest.raises(InvalidModel, match="depthwise convolution of ones"):
        replace(net, connections=(two, net.connections[1]))
    with pytest.raises(InvalidModel, match="gate: max-pooling takes one connection"):
        replace(net, connections=(net.connections[0], *net.connections))
    with pytest.raises(InvalidModel, match=r"gate: max-pooling .*spikes"):
        replace(net, populations=(replace(net.input, coding="analog"), *net.populations[1:]))


@pytest.mark.lava
@pytest.mark.parametrize("estimate", ["count", "average"])
def test_whole_way_through_lava(estimate: str, lava_python: str, tmp_path) -> None:
    net = lc.convert(
        pooled(3, 2, 1),
        data(),
        board="kapoho_point",
        timesteps=24,
        maxpool="gate",
        maxpool_estimate=estimate,
        input_coding="poisson",  # type: ignore[arg-type]
        readout="softmax",
        seed=3,
        reset="zero",
    )
    net.save(tmp_path / "net.lnet")
    loaded = lc.load(tmp_path / "net.lnet")
    emulated, lava = lc.run(net, data(3), record=["spikes"]), run_lava(loaded, data(3), record=["spikes"])
    for name, spikes in emulated.spikes.items():
        np.testing.assert_array_equal(lava.spikes[name], spikes, err_msg=name)
    np.testing.assert_array_equal(lava.output_spikes, emulated.output_spikes)
    np.testing.assert_array_equal(lava.predictions, emulated.predictions)
    assert lava.potentials_over_time is None


@pytest.mark.lava
def test_what_boards_run_equals_lava(lava_python: str) -> None:
    """Overlapping, padded windows, and large ones in rows and columns, of the eight channels that compiled kernels take together."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(8, 5)]
    model = nn.Sequential(*layers)
    net = lc.convert(model, data(), board="kapoho_point", timesteps=12)
    assert {"2.max7", "3.rows.max2", "3.max2"} <= {p.name for p in net.populations}
    emulated, lava = lc.run(net, data(2), record=["spikes"]), run_lava(net, data(2), record=["spikes"])
    for name, spikes in emulated.spikes.items():
        np.testing.assert_array_equal(lava.spikes[name], spikes, err_msg=name)
    np.testing.assert_array_equal(lava.potentials, emulated.potentials)
    portable = simulate(net, data(2), record=["spikes"], portable=True)
    for name, spikes in emulated.spikes.items():
        np.testing.assert_array_equal(portable.spikes[name], spikes, err_msg=name)
