"""Where ReLUs go."""

from __future__ import annotations

from torch import nn

from loihiconv.ann.graph import Relu
from tests.ann.passes.lowering import kinds, lowered


def test_of_two_bounds_the_tighter_one_counts() -> None:
    layers = (nn.Linear(4, 3), nn.ReLU6(), nn.Hardtanh(0, 2), nn.ReLU(), nn.Hardtanh(0, 4), nn.Linear(3, 2))
    ann = lowered(*layers, shape=(4,))
    assert kinds(ann) == ["Linear 0", "Relu 2", "Linear 5"]
    relu = ann["2"]
    assert isinstance(relu, Relu)
    assert relu.bound == 2


def test_a_bound_goes_before_max_pooling() -> None:
    ann = lowered(nn.Conv2d(1, 1, 1), nn.ReLU(), nn.MaxPool2d(2), nn.ReLU6(), nn.Flatten(), nn.Linear(4, 2), shape=(1, 4, 4))
    assert kinds(ann) == ["Linear 0", "Relu 3", "MaxPool 2", "Linear 5"]
    assert ann["3"].bound == 6  # type: ignore[attr-defined]


def test_relu_moves_before_max_pooling() -> None:
    ann = lowered(nn.Conv2d(1, 1, 1), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2), shape=(1, 4, 4))
    assert kinds(ann) == ["Linear 0", "Relu 2", "MaxPool 1", "Linear 4"]
