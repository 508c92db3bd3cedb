"""Models to read, and a check that what is read computes the same."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from loihiconv.ann.evaluator import Evaluator, outputs_of
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Ann
from loihiconv.ann.passes import lower
from loihiconv.core.choices import PoolingWay

IMAGE = (4, 7, 6)


class Net(nn.Module):
    """A model whose forward is the given function of (model, x)."""

    def __init__(self, function: Callable[[Any, Tensor], Any], **children: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, child in children.items():
            self.add_module(name, child)

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def trained(model: nn.Module) -> nn.Module:
    """Give batch normalization statistics that matter, in float64."""
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d) and module.running_mean is not None:
            for values, low, high in ((module.running_mean, -1, 1), (module.running_var, 0.5, 2)):
                values.uniform_(low, high, generator=generator)
            if module.affine:
                nn.init.uniform_(module.weight, -1, 1)
                nn.init.uniform_(module.bias, -1, 1)
    return model.double()


def assert_read_and_lowered(model: nn.Module, shape: tuple[int, ...], maxpool: PoolingWay = "gate") -> Ann:
    """Read and rewritten it computes what the model does, and nothing but linear maps, ReLUs and pooling is left."""
    model = trained(model)
    ann = read_torch(model, shape)
    x = torch.randn(4, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = copy.deepcopy(model).eval()(x.clone()).reshape(len(x), -1).double()
    for network in (ann, lower(ann, maxpool).ann):
        result = outputs_of(network, Evaluator(network, dtype=torch.float64)(x)[0])
        torch.testing.assert_close(result, expected, rtol=1e-9, atol=1e-9)
    return ann
