"""Outputs in the units of the float network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
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
