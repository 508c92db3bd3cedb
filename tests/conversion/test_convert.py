"""The whole way in float and fixed point, and the settings and data that it refuses."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.conversion.measuring import read
from loihiconv.core.errors import InvalidBoard, InvalidData, InvalidSetting
from loihiconv.core.network import IF
from tests.conversion.small import data, small_cnn


def test_rates_approach_activations() -> None:
    """Firing rates times λ approach the ANN's activations, and potentials its outputs, as 1/T."""
    model, x = small_cnn(), data()
    net = lc.convert(model, x, board=None, timesteps=400, optimize="none", percentile=100)
    recording = lc.run(net, x[:20], "float")
    with torch.no_grad():
        expected = model.eval()(torch.from_numpy(x[:20])).numpy()
    outputs = recording.potentials / (net.timesteps * net.readout.scale)
    assert np.abs(outputs - expected).max() < 0.05 * np.abs(expected).max()
    ann, _ = read(model, x[:1])
    assert [p.name for p in net.populations] == ["input", "0", "4", "7", "9"]
    assert ann.output.name == "9"


def test_fixed_point_predicts_what_float_does() -> None:
    model, x = small_cnn(), data(300)
    net = lc.convert(model, x, board="kapoho_point", timesteps=64)
    a, b = lc.run(net, x, "float"), lc.run(net, x, "emulator")
    assert np.mean(a.predictions == b.predictions) > 0.95
    assert abs(a.firing_rate - b.firing_rate) < 0.01


@pytest.mark.parametrize("board", ["kapoho_point", "kapoho_bay"])
@pytest.mark.parametrize("coding", ["analog", "rate", "poisson"])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_settings_reach_the_network(board: str, coding: str, reset: str) -> None:
    net = lc.convert(small_cnn(), data(), board=board, timesteps=8, input_coding=coding, reset=reset, start=0.25, hold_back=0)  # type: ignore[arg-type]
    first = net["0"]
    assert isinstance(first, IF)
    assert (net.board, net.timesteps, net.input.coding, first.reset) == (board, 8, coding, reset)
    assert first.v_init.ravel()[0] == round(first.vth * 64 / 4)
    assert any(c.on_host for c in net.connections) == (board == "kapoho_bay" and coding == "analog")
    assert lc.run(net, data(5)).predictions.shape == (5,)


def test_model_is_left_alone() -> None:
    model = small_cnn().train()
    before = copy.deepcopy(model.state_dict())
    lc.convert(model, data(), board="kapoho_point", timesteps=4)
    lc.compare(model, lc.convert(model, data(), board=None, timesteps=4), (data(10), np.zeros(10, int)), ["float"])
    assert all(module.training for module in model.modules())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_scales_per_channel_change_rates_and_not_the_function() -> None:
    model, x = small_cnn(), data()
    layer = lc.convert(model, x, board=None, timesteps=400, optimize="none", percentile=100)
    channel = lc.convert(model, x, board=None, timesteps=400, optimize="none", percentile=100, per_channel=True)
    assert len(layer.record.calibration.scales["0"]) == 1
    assert len(channel.record.calibration.scales["0"]) == 6
    a, b = lc.run(layer, x[:20], "float"), lc.run(channel, x[:20], "float")
    assert b.firing_rate > a.firing_rate
    difference = a.potentials / layer.readout.scale - b.potentials / channel.readout.scale
    assert np.abs(difference).max() < 0.05 * np.abs(a.potentials / layer.readout.scale).max()
    quantized = lc.convert(model, x, board="kapoho_point", timesteps=64, per_channel=True)
    assert np.mean(lc.run(quantized, x).predictions == lc.run(quantized, x, "float").predictions) > 0.95


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"timesteps": 0}, InvalidSetting, "timesteps: timesteps 0; a whole number of at least 1 expected"),
        ({"timesteps": 2.5}, InvalidSetting, "timesteps"),
        ({"percentile": 0}, InvalidSetting, "percentile: percentile 0; above 0 and at most 100"),
        ({"input_coding": "latency"}, InvalidSetting, "input_coding: input coding 'latency'"),
        ({"maxpool": "median"}, InvalidSetting, 'maxpool: max-pooling .median.; "auto" or "gate" or "relu-tree" or "average" expected'),
        ({"maxpool_estimate": "last"}, InvalidSetting, "maxpool_estimate"),
        ({"readout": "first"}, InvalidSetting, "readout"),
        ({"seed": -1}, InvalidSetting, "seed: seed -1"),
        ({"calibration": data(3) - 0.5, "input_coding": "poisson"}, InvalidData, "negative"),
        ({"reset": "soft"}, InvalidSetting, "reset 'soft'"),
        ({"start": 2}, InvalidSetting, "start 2"),
        ({"board": "loihi3"}, InvalidBoard, "unknown board 'loihi3'"),
        ({"calibration": np.zeros((0, 2, 8, 8))}, InvalidData, "calibration data: no samples"),
        ({"calibration": []}, InvalidData, "calibration data: no samples"),
        ({"calibration": np.full((3, 2, 8, 8), np.nan)}, InvalidData, "NaN"),
        ({"calibration": [data(3), data(3)[:, :1]]}, InvalidData, r"calibration batch 1: samples of shape \(1, 8, 8\)"),
        ({"calibration": data(3) - 0.5, "input_coding": "rate"}, InvalidData, "negative"),
        ({"calibration": np.array([["a"]])}, InvalidData, "numbers expected"),
    ],
)
def test_refusals(changes: dict, error: type[Exception], message: str) -> None:
    arguments = {"calibration": data(20), "board": "kapoho_point", "timesteps": 4, **changes}
    with pytest.raises(error, match=message) as caught:
        lc.convert(small_cnn(), arguments.pop("calibration"), **arguments)
    assert "\n" not in str(caught.value)


def test_a_search_takes_outputs_for_numbers_where_labels_are_no_classes() -> None:
    """Of two outputs, which are as likely classes, none is often the largest in few time steps, and both are far off."""
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 2)).eval(), np.random.default_rng(0).random((64, 6), np.float32)
    y = model(torch.from_numpy(x)).detach().numpy()
    told, given, classes = (
        lc.convert(model, data, board=None, timesteps=8, optimize="latency", **task)  # type: ignore[arg-type]
        for data, task in (((x, y), {}), (x, {"task": "regression"}), ((x, y.argmax(1)), {}))
    )
    assert [trial.agreement for trial in told.record.search] == [trial.agreement for trial in given.record.search]
    assert [trial.agreement for trial in told.record.search] != [trial.agreement for trial in classes.record.search]
    assert any("task regression" in note for note in told.record.notes)
    assert not any("task regression" in note for net in (given, classes) for note in net.record.notes)


def test_progress_names_its_stages() -> None:
    seen: list[tuple[str, int, int]] = []
    lc.convert(small_cnn(), data(200), board="kapoho_point", timesteps=4, progress=lambda *report: seen.append(report))
    assert [report for report in seen if report[0] == "calibration"][-1] == ("calibration", 200, 200)
    corrected = [report[1:] for report in seen if report[0] == "bias correction"]
    assert corrected == [(done, 8) for done in range(1, 9)]
