"""What is read is the model, and what calibration data says of it is said."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.core.errors import InvalidModel
from tests.conversion.small import data, small_cnn


def test_silent_layers_are_said() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        model[0].weight.fill_(-1)
        model[0].bias.fill_(-1)
    with pytest.warns(UserWarning, match="0: no activation on 10 calibration samples"):
        lc.convert(model, np.ones((10, 4), np.float32), board="kapoho_point", timesteps=4)


def test_nan_weights_are_refused_by_name() -> None:
    model = small_cnn()
    with torch.no_grad():
        model[4].weight[0, 0, 0, 0] = float("nan")
    with pytest.raises(InvalidModel, match="4"):
        lc.convert(model, data(10), board="kapoho_point", timesteps=4)


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
    with pytest.raises(InvalidModel, match=r"^3.add: forward\(\) gives other results .*; the first that differs; remove what is random"):
        lc.convert(model, x, board=None, timesteps=4)
