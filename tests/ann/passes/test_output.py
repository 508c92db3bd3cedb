"""Images become vectors."""

from __future__ import annotations

from torch import nn

from loihiconv.ann.graph import Linear
from loihiconv.core.linear import Sparse
from tests.ann.passes.lowering import lowered


def test_single_pixels_end_as_a_vector() -> None:
    ann = lowered(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), shape=(2, 4, 4))
    assert ann.shapes[ann.output.name] == (3,)


def test_one_number_for_each_of_many_places_is_no_matrix_of_all_by_all() -> None:
    """As scores of a detector's anchors, (N, 4096, 1): converting 5,120 of them took two minutes."""
    ann = lowered(nn.Conv1d(4096, 4096, 1, groups=4096), shape=(4096, 1))
    assert ann.shapes[ann.output.name] == (4096,)
    assert isinstance(ann.output, Linear)
    assert isinstance(ann.output.map, Sparse)
