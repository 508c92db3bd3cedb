"""Outputs in the units of the float network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import loihiconv as lc


@pytest.mark.parametrize("coding", ["analog", "rate"])
@pytest.mark.parametrize("delay", [0, 40])
def test_a_regression_gives_the_models_values(coding: str, delay: int) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 30), nn.ReLU(), nn.Linear(30, 2))
    with torch.no_grad():
        model[2].weight *= 100
        model[2].bias += 20
    x = torch.rand(200, 6)
    expected = model(x).detach().numpy()
    for board, backend in ((None, "float"), ("kapoho_point", "emulator")):
        net = lc.convert(model, x, board=board, timesteps=512, input_coding=coding, readout_delay=delay, percentile=100, scale="percentile")  # type: ignore[arg-type]  # pytest has strings
        outputs = lc.run(net, x, backend).outputs
        assert outputs.shape == expected.shape
        assert np.abs(outputs - expected).max() < 0.03 * np.abs(expected).max()


LAST: dict[str, Any] = {
    "none": lambda x: x,
    "relu": F.relu,
    "sigmoid": torch.sigmoid,
    "log sigmoid": F.logsigmoid,
    "tanh": torch.tanh,
    "softmax": lambda x: x.softmax(1),
    "log softmax": lambda x: x.log_softmax(1),
    "temperature": lambda x: (x / 1.7).softmax(1),
    "argmax": lambda x: x.argmax(1),
    "softplus": F.softplus,
    "exp": torch.exp,
    "relu6": lambda x: F.relu6(4 * x),
    "rescaled tanh": lambda x: 5 * torch.tanh(x) - 1,
    "magnitude": torch.abs,
}
SHAPES: dict[str, Any] = {
    "vector": lambda x: x,
    "number": lambda x: x[:, :1],
    "none": lambda x: x[:, 0],
    "image": lambda x: x.reshape(-1, 3, 2, 2),
}


class Ended(nn.Module):
    def __init__(self, shape: str, last: str) -> None:
        super().__init__()
        self.body, self.shape, self.last = nn.Sequential(nn.Linear(4, 9), nn.ReLU(), nn.Linear(9, 12)), shape, last

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return LAST[self.last](SHAPES[self.shape](self.body(x)))  # type: ignore[no-any-return]


@pytest.mark.filterwarnings("ignore::UserWarning")  # of classes that are never named
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(SHAPES)), st.sampled_from(sorted(LAST)), st.integers(0, 99))
def test_outputs_converge_to_the_models(shape: str, last: str, seed: int) -> None:
    """Of one layer with a constant current, rates err by 1 / T, and so do outputs: 32 times the steps, a small share of the error."""
    if shape == "none" and last in ("argmax", "softmax", "log softmax", "temperature"):  # these need an axis
        shape = "vector"
    torch.manual_seed(seed)
    model, x = Ended(shape, last).eval(), torch.rand(12, 4)
    expected = model(x).detach().numpy()
    missed = {}
    for timesteps in (16, 512):
        net = lc.convert(model, x, board=None, timesteps=timesteps, scale="percentile", percentile=100, bias_correction=False)
        outputs = lc.run(net, x, "float").outputs
        assert outputs.shape == expected.shape == (12, *net.readout.output_shape)
        missed[timesteps] = float(np.abs(outputs - expected).mean() if last != "argmax" else (outputs != expected).mean())
    assert missed[512] <= max(missed[16] / 6, 0.1 if last == "argmax" else 4e-3)


def test_outputs_of_slowed_neurons_are_in_the_same_units() -> None:
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(6, 30), nn.ReLU(), nn.Linear(30, 2), nn.Softplus()).eval(), torch.rand(50, 6)
    net = lc.realize(lc.convert(model, x, board="kapoho_point", timesteps=512), "lif", ratio=2)
    assert np.abs(lc.run(net, x).outputs - model(x).detach().numpy()).max() < 0.1
