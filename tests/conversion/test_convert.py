"""The whole way in float and fixed point, and the settings and data that it refuses."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.conversion.calibration import Statistics, batches, calibrate
from loihiconv.conversion.convert import read
from loihiconv.conversion.scales import choose_scales
from loihiconv.conversion.settings import Settings
from loihiconv.core.errors import InvalidBoard, InvalidData, InvalidModel, InvalidSetting
from loihiconv.core.network import IF


def small_cnn(seed: int = 0) -> nn.Module:
    """Convolution, batch norm, pooling, padding and dense layers, with statistics of its own."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 8, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32, 12),
        nn.ReLU(),
        nn.Linear(12, 5),
    )
    for _ in range(5):
        model(torch.rand(64, 2, 8, 8))
    return model


def data(n: int = 200, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 2, 8, 8)).astype(np.float32)


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


def test_calibration_is_streamed_and_order_does_not_matter() -> None:
    model, x = small_cnn(), data(500)
    whole = lc.convert(model, x, board=None, timesteps=4)
    parts = lc.convert(model, (x[i : i + 7] for i in range(0, 500, 7)), board=None, timesteps=4)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.from_numpy(x), torch.zeros(500)), batch_size=50, shuffle=True)
    shuffled = lc.convert(model, loader, board=None, timesteps=4)
    for other in (parts, shuffled):
        assert other.record.calibration.samples == 500
        for name, scale in whole.record.calibration.scales.items():
            assert other.record.calibration.scales[name] == pytest.approx(scale, rel=1e-5)


@pytest.mark.parametrize("p", [50, 90, 99, 99.9, 99.99, 100])
def test_percentile_against_numpy(p: float) -> None:
    x = np.random.default_rng(0).lognormal(0, 3, (1000, 200)).astype(np.float32)
    x[x < 1] = 0
    statistics = Statistics((200,))
    for part in np.array_split(x, 7):
        statistics.add(part)
    expected = np.percentile(x[x > 0].astype(np.float64), p, method="inverted_cdf")
    assert statistics.percentile(p) == pytest.approx(expected, rel=2**-10)
    assert statistics.nonzero == (x > 0).sum()
    assert statistics.largest == x.max()


def test_scales_are_percentiles_of_nonzero_activations() -> None:
    model, x = small_cnn(), data(100)
    ann, _ = read(model, x[:1])
    scales = choose_scales(ann, calibrate(ann, x), Settings(1, scale="percentile", percentile=99, per_channel=False))
    with torch.no_grad():
        first = model.eval()[:3](torch.from_numpy(x)).numpy()
    assert float(scales["2"]) == pytest.approx(np.percentile(first[first > 0], 99), rel=2e-3)


@pytest.mark.parametrize("p", [90, 99.9, 100])
def test_channel_percentiles_against_numpy(p: float) -> None:
    x = np.random.default_rng(0).lognormal(0, 3, (300, 4, 20, 5)).astype(np.float32)
    x[x < 1] = 0
    x[:, 2] = 0
    statistics = Statistics((4, 20, 5), per_channel=True)
    for part in np.array_split(x, 7):
        statistics.add(part)
    channels = statistics.channel_percentiles(p)
    assert channels[2] == 0
    for c in (0, 1, 3):
        values = x[:, c][x[:, c] > 0].astype(np.float64)
        assert channels[c] == pytest.approx(np.percentile(values, p, method="inverted_cdf"), rel=2**-6)


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
        ({"calibration": np.array([["a"]])}, InvalidData, "not numbers"),
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


def test_batches_take_tensors_lists_and_pairs() -> None:
    x = data(5)
    for given in (x, torch.from_numpy(x), [x[:2], x[2:]], [(x[:2], np.zeros(2)), (x[2:], np.zeros(3))]):
        np.testing.assert_array_equal(np.concatenate(list(batches(given, size=2))), x)


def test_check_lists_layers_and_size() -> None:
    result = lc.check(small_cnn(), data(1), "kapoho_point")
    assert result.ok
    assert [(layer.name, layer.neurons) for layer in result.layers] == [("input", 128), ("0", 384), ("4", 32), ("7", 12), ("9", 5)]
    huge = nn.Sequential(nn.Flatten(), nn.Linear(4, 300_000, bias=False), nn.ReLU(), nn.Linear(300_000, 2, bias=False))
    found = lc.check(huge, (4,), "kapoho_bay")
    assert not found.ok
    assert any("cores 586, limit 256; 1 takes 586" in problem for problem in found.problems), found.problems


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
