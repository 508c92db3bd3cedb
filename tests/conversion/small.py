"""A small model with every kind of layer, and data for it."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


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
