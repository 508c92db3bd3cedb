"""What a model becomes on a board, layer by layer, and what does not fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from tests.conversion.small import data, small_cnn
from tests.zoo.nets import FAMILIES, made, samples


def test_check_places_the_network():
    model = nn.Sequential(nn.Conv2d(1, 16, 5, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(2304, 10)).eval()
    assert lc.check(model, (1, 28, 28), "kapoho_bay").ok


def test_check_says_which_layer_does_not_fit():
    model = nn.Sequential(nn.Linear(8, 5000), nn.ReLU(), nn.Linear(5000, 10)).eval()
    found = lc.check(model, (8,), "kapoho_bay")
    assert not found.ok
    assert "input axons per core 5,000, limit 4,096" in found.problems[0]


def test_check_counts_the_boards_cores():
    model = nn.Sequential(nn.Conv2d(1, 256, 1), nn.ReLU(), nn.AvgPool2d(32), nn.Flatten(), nn.Linear(256, 10)).eval()
    found = lc.check(model, (1, 32, 32), "kapoho_bay")
    assert any("cores 51" in problem for problem in found.problems)


def test_check_lists_layers_and_size() -> None:
    result = lc.check(small_cnn(), data(1), "kapoho_point")
    assert result.ok
    assert [(layer.name, layer.neurons) for layer in result.layers] == [("input", 128), ("0", 384), ("4", 32), ("7", 12), ("9", 5)]
    huge = nn.Sequential(nn.Flatten(), nn.Linear(4, 140_000, bias=False), nn.ReLU(), nn.Linear(140_000, 2, bias=False))
    found = lc.check(huge, (4,), "kapoho_bay")
    assert not found.ok
    assert any("cores 274, limit 256; 1 takes 274" in problem for problem in found.problems), found.problems


def test_what_passes_converts_and_the_rest_is_named() -> None:
    """A layer whose weights are infinite, which structure does not show; with calibration data what that brings."""
    model = small_cnn()
    assert lc.check(model, data(1), "kapoho_point", calibration=data(8)).ok
    with torch.no_grad():
        model[0].weight[0, 0, 0, 0] = float("inf")
    found = lc.check(model, data(1), "kapoho_point")
    assert not found.ok
    assert len(found.problems) == 1
    signed = lc.check(nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), (4,), calibration=np.full((3, 4), np.nan))
    assert "NaN or infinity" in signed.problems[0]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_models_of_any_precision(dtype: torch.dtype) -> None:
    assert lc.check(small_cnn().to(dtype), (2, 8, 8), "kapoho_point").ok


def test_a_network_that_fits_is_said_to() -> None:
    (note,) = [text for text in lc.check(small_cnn(), (2, 8, 8), "kapoho_point").notes if "fits" in text]
    assert "of 1,024 cores" in note


def test_ranges_that_hang_on_time_steps() -> None:
    """A bias far above all activations: few steps convert, many would need potentials of more than 24 bits."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 7), nn.ReLU(), nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3)).eval()
    with torch.no_grad():
        model[5].bias.normal_(0, 300)
    x = np.random.default_rng(0).random((16, 1, 6, 6)).astype(np.float32)
    for timesteps in (8, 300):
        found = lc.check(model, x, "kapoho_point", calibration=x, timesteps=timesteps)
        refused = []
        try:
            lc.convert(model, x, board="kapoho_point", timesteps=timesteps, rounding="nearest", bias_correction=False)
        except lc.LoihiconvError as error:
            refused.append(str(error))
        assert list(found.problems) == refused


@pytest.mark.parametrize("name", ["DenseNet", "TCN", "CIFAR ResNet"])
def test_weights_are_those_of_the_connections_into_a_population(name: str) -> None:
    """Also where layers are read in another order than populations follow one another, and for skips."""
    model, shape = made(name), FAMILIES[name].shape
    net = lc.convert(model, samples(shape, 8, 0), board=None, timesteps=2, bias_correction=False)
    for layer in lc.check(model, shape).layers:
        into = [c.map for c in net.connections if c.target == layer.name]
        assert (layer.weights, layer.maps) == (sum(m.weight.size for m in into), tuple(m.kind for m in into)), layer.name
