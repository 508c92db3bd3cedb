"""Weights, biases and start potentials of the network that is built."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits
from torch import nn

import loihiconv as lc
from loihiconv.core.network import IF
from loihiconv.demo import digits, digits_cnn
from tests.conversion.small import data, small_cnn


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


def test_without_normalisation_weights_stay_as_they_are() -> None:
    model, x = nn.Sequential(nn.Flatten(), nn.Linear(128, 6), nn.ReLU(), nn.Linear(6, 3)), data(50)
    net = lc.convert(model, x, board=None, timesteps=4, optimize="none", percentile=None)
    scale = net.input.scale
    np.testing.assert_allclose(net.connections[0].map.weight, model[1].weight.detach().numpy() * scale, rtol=1e-6)
    assert net.record.calibration.scales["1"] == (1.0,)


def test_the_number_of_threads_changes_nothing() -> None:
    """Weights that are rounded adaptively follow from sums of products, in the order of their threads; these settings showed it."""
    x, *_ = digits()
    nets = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads, user_api="blas"):
            nets.append(lc.convert(digits_cnn(), x[:200], board="kapoho_point", timesteps=128, percentile=99.9, input_coding="poisson"))
    assert lc.diff(*nets).same
