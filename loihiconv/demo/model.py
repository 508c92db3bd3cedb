"""The demo's network: two convolutions, average pooling and two dense layers on 8x8 digits."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file
from torch import nn

WEIGHTS = Path(__file__).with_name("digits.safetensors")


def untrained() -> nn.Module:
    """The network before training: input (N, 1, 8, 8) in [0, 1], output (N, 10), one score per digit."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(512, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def digits_cnn() -> nn.Module:
    """The trained network, in evaluation mode; on the command line ``loihiconv.demo.model:digits_cnn``."""
    model = untrained()
    model.load_state_dict(load_file(WEIGHTS))
    return model.eval()
