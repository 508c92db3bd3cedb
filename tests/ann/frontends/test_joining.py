"""Several outputs in one node: along the channels where that can be, or flattened."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from loihiconv.ann.evaluator import forward
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Concat, Reshape
from tests.ann.frontends.nets import Net

X = torch.rand(4, 2, 6, 6)


def both(first: nn.Module, second: nn.Module) -> nn.Module:
    return Net(lambda m, x: (m.a(x), m.b(x)), a=first, b=second).eval()


@pytest.mark.parametrize(
    ("model", "flattened"),
    [
        (both(nn.Conv2d(2, 3, 3), nn.Conv2d(2, 1, 3)), 0),
        (both(nn.Conv2d(2, 3, 3), nn.Conv2d(2, 3, 3, 2)), 2),
        (both(nn.Conv2d(2, 3, 3), nn.Sequential(nn.Flatten(), nn.Linear(72, 3))), 1),
        (both(nn.Flatten(0, 0), nn.Sequential(nn.Flatten(2), nn.Linear(36, 5))), 2),
    ],
)
def test_values_are_those_of_one_output_after_the_other(model: nn.Module, flattened: int) -> None:
    ann = read_torch(model, (2, 6, 6))
    assert isinstance(ann.output, Concat)
    assert sum(isinstance(node, Reshape) and node.name.endswith(".values") for node in ann) == flattened
    with torch.no_grad():
        expected = torch.cat([y.flatten(1) for y in model(X)], 1)
    torch.testing.assert_close(forward(ann, X)[0].flatten(1), expected)
    assert [part.shape for part in ann.parts] == [tuple(y.shape[1:]) for y in model(X)]


def test_one_number_per_sample_is_an_output() -> None:
    model = Net(lambda m, x: {"n": m.a(x.flatten(1)).squeeze(-1), "same": m.a(x.flatten(1))}, a=nn.Linear(72, 1))
    ann = read_torch(model, (2, 6, 6))
    assert [(part.name, part.shape) for part in ann.parts] == [("n", ()), ("same", (1,))]


def test_each_output_ends_by_itself() -> None:
    class Ends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(72, 3), nn.Linear(3, 2)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            hidden = self.a(x.flatten(1)).relu()
            return hidden, self.b(hidden).softmax(1), self.b(hidden).tanh()

    ann = read_torch(Ends(), (2, 6, 6))
    assert ann.notes == (
        "3 outputs: 0 (3), 1 (2), 2 (2)",
        *(f"{end}: computed by the host, on the readout's outputs" for end in ("softmax", "tanh")),
    )
