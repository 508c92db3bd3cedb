"""Models as programs of TorchScript and torch.export, held against the same model as it was written."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Ann
from tests.ann.frontends.nets import trained

SHAPE = (1, 8, 8)


class Cnn(nn.Module):
    """Layers, functions, lists of layers and methods of tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.blocks = nn.ModuleList([nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU()) for _ in range(2)])
        self.drop = nn.Dropout()
        self.fc = nn.Linear(36, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn(self.conv(x)))
        for block in self.blocks:
            x = x + block(x)
        a, b = F.max_pool2d(self.drop(x), 2).chunk(2, 1)
        return self.fc(torch.flatten(torch.cat([b, a], 1), 1))


def quietly(make: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """What TorchScript makes of a model, without being told that it is deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(*args, **options)


def assert_read_alike(model: nn.Module, shape: tuple[int, ...], program: Callable[[nn.Module, Tensor], nn.Module]) -> tuple[Ann, Ann]:
    """The program computes, as read, what the model does; returns the network read from either."""
    with torch.no_grad():
        model = trained(copy.deepcopy(model)).eval()
    x = torch.randn(3, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    ann = read_torch(program(model, x), shape)
    with torch.no_grad():
        expected = model(x.clone())
    torch.testing.assert_close(Evaluator(ann, dtype=torch.float64)(x)[0].flatten(1), expected.flatten(1), rtol=1e-9, atol=1e-9)
    return read_torch(model, shape), ann


def kinds(ann: Ann) -> list[tuple[str, str]]:
    """Names and types of the nodes."""
    return [(node.name, type(node).__name__) for node in ann]
