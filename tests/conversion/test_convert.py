"""The whole way in float and fixed point, and the settings and data that it refuses."""

from __future__ import annotations

import copy
from itertools import count

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.conversion.convert import read
from loihiconv.core.errors import InvalidBoard, InvalidData, InvalidModel, InvalidSetting
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


def test_without_normalisation_weights_stay_as_they_are() -> None:
    model, x = nn.Sequential(nn.Flatten(), nn.Linear(128, 6), nn.ReLU(), nn.Linear(6, 3)), data(50)
    net = lc.convert(model, x, board=None, timesteps=4, optimize="none", percentile=None)
    scale = net.input.scale
    np.testing.assert_allclose(net.connections[0].map.weight, model[1].weight.detach().numpy() * scale, rtol=1e-6)
    assert net.record.calibration.scales["1"] == (1.0,)


@pytest.mark.parametrize("maxpool", ["gate", "relu-tree"])
def test_weights_of_one_stay_exact(maxpool: str) -> None:
    """BinaryConnect-like networks need no special care: +-1 times one number per layer, whatever the scales are."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 8, 3, bias=False),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, bias=False),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8, 3, bias=False),
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.sign_()
    net = lc.convert(model, data(), board="kapoho_point", timesteps=32, input_coding="rate", maxpool=maxpool)  # type: ignore[arg-type]
    assert net.origin is not None
    for fixed, exact in zip(net.connections, net.origin.connections, strict=True):
        magnitudes = set(np.abs(fixed.map.weight).ravel().tolist()) - {0}
        assert len(magnitudes) == 1
        np.testing.assert_array_equal(np.sign(fixed.map.weight), np.sign(exact.map.weight))
    assert np.mean(lc.run(net, data(100)).predictions == lc.run(net, data(100), "float").predictions) > 0.95


def test_silent_layers_are_said() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        model[0].weight.fill_(-1)
        model[0].bias.fill_(-1)
    with pytest.warns(UserWarning, match="0: no activation on 10 calibration samples"):
        lc.convert(model, np.ones((10, 4), np.float32), board="kapoho_point", timesteps=4)


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


def test_nan_weights_are_refused_by_name() -> None:
    model = small_cnn()
    with torch.no_grad():
        model[4].weight[0, 0, 0, 0] = float("nan")
    with pytest.raises(InvalidModel, match="4"):
        lc.convert(model, data(10), board="kapoho_point", timesteps=4)


def test_progress_names_its_stages() -> None:
    seen: list[tuple[str, int, int]] = []
    lc.convert(small_cnn(), data(200), board="kapoho_point", timesteps=4, progress=lambda *report: seen.append(report))
    assert [report for report in seen if report[0] == "calibration"][-1] == ("calibration", 200, 200)
    corrected = [report[1:] for report in seen if report[0] == "bias correction"]
    assert corrected == [(done, 8) for done in range(1, 9)]


def test_charge_that_is_held_back_comes_with_the_bias() -> None:
    model, x = small_cnn(), data(50)
    at_once, late = (lc.convert(model, x, board=None, timesteps=8, optimize="none", hold_back=h) for h in (0.0, 0.5))
    for a, b in zip(at_once.populations[1:-1], late.populations[1:-1], strict=True):
        assert isinstance(a, IF)
        assert isinstance(b, IF)
        driven_by_spikes = a.name != "0"
        np.testing.assert_allclose(a.v_init - b.v_init, 0.5 * driven_by_spikes)
        np.testing.assert_allclose(b.bias - a.bias, 0.5 / 8 * driven_by_spikes, atol=1e-7)
    kept = lc.convert(model, x, board=None, timesteps=8, hold_back=0.5, reset="zero")
    assert all((p.v_init == 0.5).all() for p in kept.populations if isinstance(p, IF))


def test_views_with_negative_strides_are_data_like_any_other() -> None:
    model, x = small_cnn(), data(40)
    turned = x[::-1, ::-1]
    net = lc.convert(model, turned, board="kapoho_point", timesteps=4)
    same = lc.convert(model, turned.copy(), board="kapoho_point", timesteps=4)
    assert net.record.calibration == same.record.calibration
    comparison = lc.compare(model, net, (turned, np.zeros(40, int)))
    np.testing.assert_array_equal(comparison.recordings["emulator"].predictions, lc.run(same, turned.copy()).predictions)


def test_a_layer_that_is_misread_is_named() -> None:
    """A hook that changes a layer's result by another number each time."""
    model, x, calls = small_cnn(), data(), count()
    model[3].register_forward_hook(lambda module, args, output: output + next(calls) / 10)
    with pytest.raises(InvalidModel, match=r"^3.add: the model's outputs differ by up to .*; the first that differs; does it use hooks"):
        lc.convert(model, x, board=None, timesteps=4)
