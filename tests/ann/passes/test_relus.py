"""Where ReLUs go."""

from __future__ import annotations

from torch import nn

from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Relu
from loihiconv.ann.passes import lower
from tests.ann.passes.lowering import kinds, lowered


def test_final_relu_is_left_out_with_a_note() -> None:
    result = lower(read_torch(nn.Sequential(nn.Linear(4, 2), nn.ReLU()), (4,)))
    assert kinds(result.ann) == ["Linear 0"]
    assert len(result.notes) == 1
    assert result.notes[0].startswith("1: the ReLU after the last layer")


def test_a_final_bound_stays() -> None:
    """Above it outputs are equal for the model, so that it cannot be left out."""
    result = lower(read_torch(nn.Sequential(nn.Linear(4, 2), nn.ReLU6()), (4,)))
    assert kinds(result.ann) == ["Linear 0", "Relu 1", "Linear 1.readout"]
    assert not result.notes


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
