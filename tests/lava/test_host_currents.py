"""Analog input on Loihi 1: what the host loads as biases, the emulator, Lava and the chip's graph take alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.evaluation.compare import mismatches
from loihiconv.lava.chip.realizations import Realization

pytestmark = pytest.mark.lava
MODELS = {
    "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(25, 4)),
    "convolution": lambda: nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(27, 4)),
}


@pytest.mark.usefixtures("lava_python")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("realization", [None, "native", "lif"])
def test_every_spike_on_loihi_1(name: str, realization: Realization | None) -> None:
    """Purely linear networks, whose readout the host drives, are among them; samples go beyond calibration."""
    torch.manual_seed(0)
    x = np.random.default_rng(0).random((40, 1, 5, 5)).astype(np.float32)
    net = lc.convert(MODELS[name](), x, board="kapoho_bay", timesteps=8)
    assert any(c.on_host for c in net.connections)
    samples = np.concatenate([x[:2], 50 * x[2:3], -x[3:4]])
    recording = lc.run(net, samples, "lava", ["spikes", "potentials"], realization=realization)
    expected = lc.run(net, samples, "emulator", ["spikes", "potentials"], realization=realization)
    assert mismatches(expected, recording) == (dict.fromkeys(recording.spikes, 0), 0)
    np.testing.assert_array_equal(recording.potentials_over_time, expected.potentials_over_time)
