"""Small networks that are trained further, and samples for them."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from loihiconv.core.linear import Array


def mlp() -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(12, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 5)).eval()
    with torch.no_grad():
        model[5].weight *= 20
    return model


class Residual(nn.Module):
    """Max-pooling, a depthwise convolution, a skip connection, concatenation and average pooling."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(2, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.pool = nn.MaxPool2d(2)
        self.depthwise = nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.other = nn.Conv2d(6, 4, 1)
        self.head = nn.Linear(40, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.norm(self.stem(x)).relu())
        y = torch.cat([(self.depthwise(x) + x).relu(), self.other(x).relu()], 1)
        logits: torch.Tensor = self.head(nn.functional.avg_pool2d(y, 2).flatten(1))
        return logits


def vectors(n: int = 192) -> Array:
    return np.random.default_rng(0).random((n, 12)).astype(np.float32)


def images(n: int = 32) -> Array:
    return np.random.default_rng(0).random((n, 2, 8, 8)).astype(np.float32)
