"""Where ReLUs go."""

from __future__ import annotations

from torch import nn

from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.passes import lower
from tests.ann.passes.lowering import kinds, lowered


def test_final_relu_is_left_out_with_a_note() -> None:
    result = lower(read_torch(nn.Sequential(nn.Linear(4, 2), nn.ReLU()), (4,)))
    assert kinds(result.ann) == ["Linear 0"]
    assert len(result.notes) == 1
    assert result.notes[0].startswith("1: the ReLU after the last layer")


def test_relu_moves_before_max_pooling() -> None:
    ann = lowered(nn.Conv2d(1, 1, 1), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2), shape=(1, 4, 4))
    assert kinds(ann) == ["Linear 0", "Relu 2", "MaxPool 1", "Linear 4"]
