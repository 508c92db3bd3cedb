"""What was read is evaluated, and held against the model."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
import torch
from torch import nn

from loihiconv.ann.evaluate import verify_reading, verify_rewriting
from loihiconv.ann.evaluator import Evaluator, batch_of
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Affine, Ann, Clamp, Input, LeakyRelu, Node, Quantize, Relu, Round
from loihiconv.ann.passes import lower
from loihiconv.core.errors import InvalidModel
from tests.ann.frontends.nets import Net

ENDINGS = [
    nn.Softmax(1),
    nn.LogSoftmax(-1),
    nn.Identity(),
    nn.Sigmoid(),
    nn.LogSigmoid(),
    nn.Tanh(),
    nn.Sequential(nn.ReLU(), nn.Softmax(1)),
]


@pytest.mark.parametrize("last", ENDINGS)
def test_reading_is_verified(last: nn.Module) -> None:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 3), last)
    ann, x = read_torch(model, (4,)), torch.randn(5, 4)
    verify_reading(model, ann, x)
    calls = count(2)
    model[0].register_forward_hook(lambda module, args, output: output * next(calls))
    ann = read_torch(model, (4,))
    with pytest.raises(InvalidModel, match=r"0.mul: forward\(\) gives other results .*; the first that differs; remove"):
        verify_reading(model, ann, x)


class Remembers(nn.Module):
    """Adds to each result a part of the last one, if that had as many samples."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.layer, self.share, self.calls = nn.Linear(4, 3), share, 0
        self.last: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        out = self.layer(x)
        if self.last is not None and self.last.shape == out.shape:
            out = out + self.share * self.last
        self.last = out.detach()
        return out


def test_what_remembers_the_last_call_is_refused() -> None:
    x = torch.randn(5, 4)
    model = Remembers(0.0)
    verify_reading(model, read_torch(model, (4,)), x)  # it counts, and that changes nothing
    model = Remembers(0.5)
    with pytest.raises(InvalidModel, match=r"Remembers: forward\(\) gives other results .* when it is called again; remove what is random"):
        verify_reading(model, read_torch(model, (4,)), x)


def test_what_draws_at_random_is_told_apart_from_what_was_misread() -> None:
    model = Net(lambda m, x: m.l(x) + torch.randn(3), l=nn.Linear(4, 3))
    with pytest.raises(InvalidModel, match=r"add: forward\(\) gives other results .*; the first that differs; remove what is random"):
        verify_reading(model, read_torch(model, (4,)), torch.randn(5, 4))


def test_a_softmax_over_the_channels_of_an_image_may_be_left_out() -> None:
    model = nn.Sequential(nn.Conv2d(2, 3, 1), nn.Softmax(1))
    verify_reading(model, read_torch(model, (2, 4, 4)), torch.randn(5, 2, 4, 4))


def test_infinite_outputs_are_refused() -> None:
    model = nn.Linear(4, 3)
    nn.init.constant_(model.weight, 3e38)
    with pytest.raises(InvalidModel, match=r"Linear: outputs are NaN or infinite; .*check that training converged"):
        verify_reading(model, read_torch(model, (4,)), torch.ones(5, 4))


def test_evaluator_keeps_what_was_asked_for() -> None:
    ann = read_torch(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), (4,))
    output, kept = Evaluator(ann)(np.ones((2, 4)), keep=("1", "2"))
    assert set(kept) == {"1", "2"}
    assert kept["1"].shape == (2, 3)
    assert kept["2"] is output


def test_a_relu_at_the_end_may_be_left_out_or_not() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    ann, x = read_torch(model, (4,)), torch.randn(20, 4)
    verify_reading(model, ann, x)
    verify_reading(model, lower(ann).ann, x)


def test_rewriting_is_verified() -> None:
    ann, x = read_torch(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 3)), (4,)), torch.randn(5, 4)
    verify_rewriting(ann, lower(ann).ann, x)
    other = read_torch(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 3)), (4,))
    with pytest.raises(InvalidModel, match="2: the model's outputs differ"):
        verify_rewriting(ann, other, x)


ONE_BY_ONE: list[tuple[Node, list[float]]] = [
    (Affine("n", ("x",), np.array(2.0), np.array(1.0)), [-3, 0, 2, 3, 6]),
    (Relu("n", ("x",), bound=1.5), [0, 0, 0.5, 1, 1.5]),
    (LeakyRelu("n", ("x",), np.array(0.5)), [-1, -0.25, 0.5, 1, 2.5]),
    (Clamp("n", ("x",), np.array(-1.0), np.array([9, 9, 9, 0.75, 9])), [-1, -0.5, 0.5, 0.75, 2.5]),
    (Round("n", ("x",), "floor"), [-2, -1, 0, 1, 2]),
    (Round("n", ("x",), "ceil"), [-2, 0, 1, 1, 3]),
    (Round("n", ("x",), "nearest"), [-2, 0, 0, 1, 2]),
    (Quantize("n", ("x",), np.array(0.5), -1, 3), [-0.5, -0.5, 0.5, 1, 1.5]),
]


@pytest.mark.parametrize(("node", "expected"), ONE_BY_ONE, ids=[type(node).__name__ for node, _ in ONE_BY_ONE])
def test_nodes_by_hand(node: Node, expected: list[float]) -> None:
    ann = Ann((Input("x", shape=(5,)), node))
    assert Evaluator(ann)(np.array([[-2, -0.5, 0.5, 1, 2.5]]))[0].flatten().tolist() == expected


def test_what_float32_rounds_is_no_misreading() -> None:
    """100,000 x - 100,000.125 x: in float32 the model errs by per cents, its two layers merged do not."""
    model = nn.Sequential(nn.Linear(1, 2, bias=False), nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1e5], [1e5 + 0.125]]))
        model[1].weight.copy_(torch.tensor([[1.0, -1.0]]))
    x = torch.rand(20, 1)
    merged = lower(read_torch(model, (1,))).ann
    assert (Evaluator(merged)(x)[0] - model(x)).abs().max() > 1e-3 * 0.125
    verify_reading(model, merged, x)


def test_batches_can_be_written_to_and_what_they_are_made_of_is_left_alone() -> None:
    """PyTorch warns of tensors on memory that cannot be written to, as that of a memory map."""
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    x.flags.writeable = False
    batch = batch_of(x)
    batch += 1
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert batch_of(batch) is batch
    assert batch_of(np.ones((2, 3), np.uint8)).dtype == torch.float32
