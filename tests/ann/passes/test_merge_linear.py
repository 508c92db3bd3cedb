"""Linear layers that follow each other become one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Linear
from loihiconv.ann.passes import lower
from loihiconv.core.linear import Conv, Sparse
from tests.ann.passes.lowering import kinds, lowered


def test_pooling_merges_into_the_next_convolution() -> None:
    ann = lowered(
        nn.Conv2d(1, 2, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(2, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2), shape=(1, 8, 8)
    )
    assert kinds(ann) == ["Linear 0", "Relu 1", "Linear 3", "Relu 4", "Linear 6"]
    merged = ann["3"]
    assert isinstance(merged, Linear)
    assert isinstance(merged.map, Conv)
    assert merged.map.weight.shape == (3, 2, 4, 4)
    assert merged.map.stride == (2, 2)
    assert merged.bias is not None
    assert merged.bias.shape == (3, 1, 1)


def test_padded_convolution_after_convolution_is_written_out() -> None:
    merged = lowered(nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1), shape=(1, 6, 6)).output
    assert isinstance(merged, Linear)
    assert isinstance(merged.map, Sparse)


def test_more_synapses_than_can_be_written_out_become_two_populations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loihiconv.ann.passes.merge_linear.MOST_SYNAPSES", 100)
    layers = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)
    assert lower(read_torch(nn.Sequential(*layers).double(), (1, 6, 6))).notes == ("0: two populations, one for each sign",)
    ann = lowered(*layers, shape=(1, 6, 6))
    x = torch.randn(2, 1, 6, 6, dtype=torch.float64)
    torch.testing.assert_close(Evaluator(ann, dtype=torch.float64)(x)[0].flatten(1), nn.Sequential(*layers).double()(x).detach().flatten(1))
    assert kinds(ann) == ["Linear 0", "Relu 0.relu", "Linear 0.negated", "Relu 0.below", "Linear 1.above", "Linear 1.below", "Add 1"]


def test_bias_under_padding_depends_on_the_position() -> None:
    norm, conv = nn.BatchNorm2d(1), nn.Conv2d(1, 1, 3, padding=1, bias=False)
    nn.init.ones_(norm.bias)
    nn.init.ones_(conv.weight)
    node = lowered(nn.ReLU(), norm, conv, shape=(1, 3, 3))["2"]
    assert isinstance(node, Linear)
    # Each window counts those of its nine pixels that are not padding.
    np.testing.assert_allclose(node.bias, [[[4, 6, 4], [6, 9, 6], [4, 6, 4]]])
