"""What gives another gradient is no operation."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Add, Relu, Round
from loihiconv.ann.passes import lower
from loihiconv.ann.passes.rewrite import apply_all
from loihiconv.ann.passes.straight_through import DropStraightThrough
from tests.ann.frontends.nets import Net, assert_read_and_lowered

WAYS = {
    "detach": lambda y: (y.round() - y).detach() + y,
    "other way round": lambda y: y + (y.round() - y).detach(),
}


@pytest.mark.parametrize("way", WAYS)
def test_quantizers_with_a_gradient_of_their_own(way: str) -> None:
    model = nn.Sequential(nn.Linear(4, 6), Net(lambda m, x: WAYS[way](torch.clamp(x * 8, 0, 15)) / 8), nn.Linear(6, 3))
    ann = read_torch(model, (4,))
    found, _ = apply_all(DropStraightThrough(), ann)
    assert not any(isinstance(node, Add) for node in found)
    assert any(isinstance(node, Round) for node in found)
    relus = [(float(node.bound), node.levels) for node in lower(ann).ann if isinstance(node, Relu)]
    assert relus == [(15 / 8, 15)]


def test_other_sums_stay() -> None:
    for function in (
        lambda m, x: x + (m.a(x) - 2 * x),
        lambda m, x: x + (m.a(x) - m.a(x)),
        lambda m, x: x + m.a(x) - x,
        lambda m, x: x + (m.a(x) - x) + x,
    ):
        assert_read_and_lowered(Net(lambda m, x, f=function: f(m, x).relu(), a=nn.Linear(4, 4)), (4,))
