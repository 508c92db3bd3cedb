"""Operations of a file keep the file's names, with no word about what PyTorch makes of them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from loihiconv.ann.frontends.one_operation import OneOperation
from loihiconv.ann.frontends.torch import read_torch


class Padded(OneOperation):
    def __init__(self, before: bool) -> None:
        super().__init__()
        self.before, self.weight = before, nn.Parameter(torch.ones(2, 2, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, (1, 0, 1, 0)) if self.before else x
        return torch.add(F.conv2d(x, self.weight), 1)


class Relu(OneOperation):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x)


@pytest.mark.parametrize("before", [False, True])
def test_what_has_weights_or_is_alone_has_the_modules_name(before: bool) -> None:
    model = nn.Sequential()
    model.add_module("first", Padded(before))
    model.add_module("second", Relu())
    names = [node.name for node in read_torch(model, (2, 6, 6))]
    assert names == ["input", *(["first.pad"] if before else []), "first", "first.add", "second"]
