"""Average pooling is a convolution."""

from __future__ import annotations

from torch import nn

from tests.ann.passes.lowering import kinds, lowered


def test_overlapping_pooling_becomes_a_population_where_it_cannot_merge() -> None:
    ann = lowered(nn.ReLU(), nn.AvgPool2d(3, 1, 1), nn.Conv2d(1, 2, 3, padding=1), shape=(1, 6, 6))
    assert kinds(ann) == ["Linear 0.identity", "Relu 0", "Linear 1", "Relu 1.relu", "Linear 2"]
