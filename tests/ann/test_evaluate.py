"""What was read is evaluated, and held against the model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from loihiconv.ann.evaluate import Evaluator, verify_reading
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Relu
from loihiconv.ann.passes import lower
from loihiconv.core.errors import InvalidModel


@pytest.mark.parametrize("last", [nn.Softmax(1), nn.LogSoftmax(-1), nn.Identity()])
def test_reading_is_verified(last: nn.Module) -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 3), last)
    ann, x = read_torch(model, (4,)), torch.randn(5, 4)
    verify_reading(model, ann, x)
    model[0].register_forward_hook(lambda module, args, output: output * 2)
    with pytest.raises(InvalidModel, match="Sequential: the model's outputs differ"):
        verify_reading(model, ann, x)


def test_evaluator_keeps_what_was_asked_for() -> None:
    ann = read_torch(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), (4,))
    output, kept = Evaluator(ann)(np.ones((2, 4)), keep=("1", "2"))
    assert set(kept) == {"1", "2"}
    assert kept["1"].shape == (2, 3)
    assert kept["2"] is output


def test_a_relu_at_the_end_may_be_left_out() -> None:
    model, x = nn.Sequential(nn.Linear(4, 3), nn.ReLU()), torch.randn(50, 4)
    ann = lower(read_torch(model, (4,))).ann
    assert not isinstance(ann.output, Relu)
    verify_reading(model, ann, x)
