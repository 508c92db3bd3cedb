"""Activations that training rounded: steps and means by hand, and what is no rounding of rates."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Relu, Round
from loihiconv.ann.passes import lower
from loihiconv.ann.passes.rounding import rounds, with_rounding, without_rounding
from loihiconv.core.errors import UnsupportedLayer
from tests.ann.frontends.nets import Net


class StraightThrough(torch.autograd.Function):
    """Rounds down, and has the gradient of what it rounds."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:  # type: ignore[override]
        return x.floor()


class ClipFloorShift(nn.Module):
    """λ floor(L clip(x / λ, 0, 1) + 1/2) / L, as networks are trained for L time steps (QCFS)."""

    def __init__(self, levels: int, bound: float) -> None:
        super().__init__()
        self.levels, self.bound = levels, nn.Parameter(torch.tensor([bound]))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.clamp(x / self.bound, 0, 1)
        x = StraightThrough.apply(x * self.levels + 0.5) / self.levels
        return x * self.bound


def network(activation: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), activation, nn.Linear(6, 3))


def test_clip_floor_shift_is_a_bounded_relu_of_so_many_levels() -> None:
    model = network(ClipFloorShift(8, 0.75))
    ann = read_torch(model, (4,))
    assert any(isinstance(node, Round) for node in ann)
    x = torch.randn(200, 4)
    torch.testing.assert_close(Evaluator(ann)(x)[0], model(x).detach())
    lowered = lower(ann)
    (relu,) = (node for node in lowered.ann if isinstance(node, Relu))
    assert (relu.bound, relu.levels) == (1, 8)  # of x / λ
    (note,) = lowered.notes
    assert note.startswith("training rounded activations to 8 steps: timesteps=8 with silent_steps=8 has just those, in simulators")
    torch.testing.assert_close(Evaluator(with_rounding(lowered.ann))(x)[0], model(x).detach())
    smooth = network(nn.Hardtanh(0, 0.75))
    for rewritten in (lowered.ann, without_rounding(ann)):
        torch.testing.assert_close(Evaluator(rewritten)(x)[0], smooth(x).detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("to", "offset"),
    [(lambda x: torch.floor(x), 0.5), (lambda x: torch.ceil(x), -0.5), (lambda x: x.round(), 0)],
    ids=["floor", "ceil", "round"],
)
def test_every_way_of_rounding_keeps_the_mean(to: object, offset: float) -> None:
    activation = Net(lambda m, x: to(4 * torch.clamp(x, 0, 2) + offset) / 4)  # type: ignore[operator]
    x = torch.randn(100, 4)
    result = Evaluator(lower(read_torch(network(activation), (4,))).ann)(x)[0]
    torch.testing.assert_close(result, network(nn.Hardtanh(0, 2))(x).detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda m, x: torch.round(x * 8) / 8, "1.round: rounds what has no bound; .*quantization is done here"),
        (lambda m, x: torch.round(x.relu() * 8) / 8, "1.round: rounds what has no bound"),
        (lambda m, x: torch.round(x.clamp(0, 1) * 2.5), "1.round: rounds to 2.5 steps"),
        (lambda m, x: torch.round(x.clamp(0, 1) * torch.arange(1.0, 7.0)), "1.round: rounds to 1 steps"),
    ],
)
def test_other_rounding_is_refused(function: object, message: str) -> None:
    ann = read_torch(network(Net(function)), (4,))  # type: ignore[arg-type]
    with pytest.raises(UnsupportedLayer, match=message):
        lower(ann)
    with pytest.raises(UnsupportedLayer):
        without_rounding(ann)
    assert np.isfinite(Evaluator(ann)(torch.randn(3, 4))[0].numpy()).all()


def quantized(low: int, high: int, step: float = 0.125) -> nn.Module:
    return Net(lambda m, x: torch.fake_quantize_per_tensor_affine(x, step, 0, low, high))


def relus(*layers: nn.Module) -> list[tuple[float, int]]:
    """Bound and levels of what is left of a network with these layers between two dense ones."""
    lowered = lower(read_torch(nn.Sequential(nn.Linear(4, 6), *layers, nn.Linear(6, 3)), (4,))).ann
    return [(float(node.bound), node.levels) for node in lowered if isinstance(node, Relu)]


def test_quantizers_are_neurons_only_where_they_rectify() -> None:
    few, fine, signed = quantized(0, 15), quantized(0, 255), quantized(-8, 7)
    assert relus(nn.ReLU(), few) == relus(few) == relus(few, nn.ReLU()) == [(15 / 8, 15)]
    assert relus(fine) == [(255 / 8, 0)]  # finer than rates: its time steps are not said
    assert relus(nn.ReLU(), signed) == relus(signed, nn.ReLU()) == [(7 / 8, 7)]
    assert relus(quantized(-100, 27), nn.ReLU()) == [(27 / 8, 0)]
    assert relus(signed) == []
    assert relus(nn.ReLU(), quantized(0, 3, 0.5), few) == [(1.5, 3)]
    relu = (float("inf"), 0)
    assert relus(nn.ReLU(), Net(lambda m, x: x + x), few) == [relu]  # sums of what is never negative
    first = nn.Sequential(few, nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))
    assert [node.name for node in lower(read_torch(first, (4,))).ann if isinstance(node, Relu)] == ["2"]


def test_quantizers_as_users_write_them() -> None:
    """As LSQ (arXiv:1902.08153) and DoReFa (arXiv:1606.06160) are written: bounds before rounding or after it."""
    before = Net(lambda m, x: torch.clamp(x / 0.125, 0, 15).round() * 0.125)
    after = Net(lambda m, x: torch.round(x * 8).clamp(0, 15) / 8)
    signed = Net(lambda m, x: torch.round(x * 8).clamp(-8, 7) / 8)
    x = torch.randn(50, 4)
    for layer in (before, after, signed, Net(lambda m, x: torch.round((8 * x).clamp(-8, 7)) / 8)):
        model = network(layer)
        torch.testing.assert_close(Evaluator(read_torch(model, (4,)))(x)[0], model(x).detach())
    assert relus(before) == relus(after) == relus(nn.ReLU(), before) == relus(nn.ReLU(), after) == [(15 / 8, 15)]
    assert relus(nn.ReLU(), signed) == [(7 / 8, 7)]
    assert relus(signed) == [(15, 0)]  # the clamp stays


def test_what_quantization_is_said_to_leave() -> None:
    lowered = lower(read_torch(network(quantized(-128, 127)), (4,)))
    assert lowered.notes == ("training rounded activations; rounding is left to rates",)
    assert rounds(read_torch(network(quantized(0, 3)), (4,)))
    assert not rounds(lowered.ann)
