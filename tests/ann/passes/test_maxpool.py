"""Max-pooling by comparing populations: how many there are, in which order, and that the function stays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Ann, MaxPool, Relu
from loihiconv.ann.passes import lower

CASES = {
    "2x2": ((nn.ReLU(), nn.MaxPool2d(2)), 3),
    "overlapping 3x3, padded": ((nn.ReLU(), nn.MaxPool2d(3, 2, 1)), 8),
    "7x7": ((nn.ReLU(), nn.MaxPool2d(7, 3, 3)), 12),
    "5x2": ((nn.ReLU(), nn.MaxPool2d((5, 2), (1, 2), (2, 0))), 5),
    "one row": ((nn.ReLU(), nn.MaxPool2d((1, 12))), 5),
    "values that can be negative": ((nn.MaxPool2d(2), nn.Conv2d(3, 4, 2)), 3),
    "large windows of such values": ((nn.MaxPool2d(4, 2), nn.Conv2d(3, 4, 2)), 6),
    "twice": ((nn.ReLU(), nn.MaxPool2d(2), nn.MaxPool2d(2)), 6),
}


def lowered(*layers: nn.Module) -> tuple[nn.Module, Ann]:
    """A convolution, these layers, and a readout, with random weights; and what becomes of them."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), *layers, nn.Flatten(), nn.LazyLinear(5)).double()
    model(torch.zeros(1, 2, 12, 12, dtype=torch.float64))
    return model.eval(), lower(read_torch(model, (2, 12, 12)), "relu-tree").ann


def comparing(ann: Ann) -> list[Relu]:
    return [node for node in ann if isinstance(node, Relu) and ".max" in node.name]


@pytest.mark.parametrize("name", list(CASES))
def test_the_function_stays_with_few_comparisons(name: str) -> None:
    layers, comparisons = CASES[name]
    model, ann = lowered(*layers)
    x = torch.randn(3, 2, 12, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        np.testing.assert_allclose(Evaluator(ann, dtype=torch.float64)(x)[0].numpy(), model(x).numpy(), atol=1e-12)
    assert not any(isinstance(node, MaxPool) for node in ann)
    assert len(comparing(ann)) == comparisons


def test_each_value_is_compared_with_the_largest_of_those_before_it() -> None:
    """Of values 1, 3, 2, 5 the ReLUs give 3 - 1, nothing, and 5 - 3."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1, 1))
    model[0].weight.data.fill_(1)
    ann = lower(read_torch(model, (1, 2, 2)), "relu-tree").ann
    names = [node.name for node in comparing(ann)]
    kept = Evaluator(ann)(torch.tensor([[[[1.0, 3.0], [2.0, 5.0]]]]), keep=[*names, "2"])[1]
    assert [float(kept[name].item()) for name in (*names, "2")] == [2.0, 0.0, 2.0, 5.0]


@pytest.mark.parametrize("order", ["before", "after"])
def test_pooling_before_a_relu_is_pooling_after_it(order: str) -> None:
    """The ReLU goes before the maximum, so that spikes are compared, which all share the scale of what is pooled."""
    relu_and_pool = (nn.MaxPool2d(2), nn.ReLU()) if order == "before" else (nn.ReLU(), nn.MaxPool2d(2))
    _, ann = lowered(nn.BatchNorm2d(3), *relu_and_pool)
    assert len({node.scale_of for node in comparing(ann)} - {""}) == 1


@pytest.mark.parametrize("kernel", [3, 5])
def test_zeros_of_the_padding_never_win_over_negative_values(kernel: int) -> None:
    lowered(nn.MaxPool2d(kernel, 2, 1))  # compares it with the model
