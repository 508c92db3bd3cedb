"""Stand-ins answer what is known without values, and record everything else."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.ann.frontends.nets import Net, assert_read_and_lowered

CASES = {
    "known without values": lambda m, x: m.l(x if not x.is_cuda and x.layout is torch.strided and x.mT.ndim == 3 else x * 2),
    "turned": lambda m, x: m.l(x.mT.relu().mT),
    "data": lambda m, x: m.l(x.data),
    "zeros like it by name": lambda m, x: m.l(x + torch.zeros_like(input=x)),
    "zeros like it": lambda m, x: m.l(x + torch.zeros_like(x)) + x.new_ones(3),
    "ones beside it": lambda m, x: m.l(torch.cat([x[:, :2], torch.ones_like(x[:, 2:])], 1)),
    "to its type": lambda m, x: m.l(x * torch.arange(4).to(x)),
    "nothing beside it": lambda m, x: m.l(torch.cat([torch.tensor([]).to(x), x], 1)),
    "coordinates beside it": lambda m, x: m.l(torch.cat([x[:, 1:], torch.linspace(-1, 1, 4, dtype=x.dtype).expand(len(x), 1, 4)], 1)),
    "masked": lambda m, x: m.l(torch.where(torch.arange(4) > 1, x, 0.25).masked_fill(torch.arange(4) == 2, -3.0)),
    "padded": lambda m, x: m.l(F.pad(x, (1, -1), value=0.5)),
    "padded by a layer": lambda m, x: m.l(m.p(x)),
    "picked": lambda m, x: m.l(x.gather(2, torch.tensor([3, 1, 0, 0]).expand(len(x), 5, -1)).tril()),
}


@pytest.mark.parametrize("case", CASES)
def test_computes_what_the_model_does(case: str) -> None:
    function: Any = CASES[case]

    def forward(m: Any, x: Tensor) -> Tensor:
        return function(m, x)  # type: ignore[no-any-return]

    assert_read_and_lowered(Net(forward, l=nn.Linear(4, 3), p=nn.ConstantPad1d((1, -1), 2.0)), (5, 4))
