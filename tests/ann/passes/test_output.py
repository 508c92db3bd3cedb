"""Images become vectors."""

from __future__ import annotations

from torch import nn

from tests.ann.passes.lowering import lowered


def test_single_pixels_end_as_a_vector() -> None:
    ann = lowered(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), shape=(2, 4, 4))
    assert ann.shapes[ann.output.name] == (3,)
