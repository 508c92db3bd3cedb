"""What becomes of a network's last operations: functions of the host, or populations where the order of outputs would change."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.passes import lower
from loihiconv.core.ending import ending_shape
from tests.ann.frontends.nets import assert_read_and_lowered
from tests.ann.passes.lowering import kinds


class Last(nn.Module):
    """A linear layer, and a function."""

    def __init__(self, function: object, outputs: int = 4) -> None:
        super().__init__()
        self.a, self.function = nn.Linear(5, outputs), function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(self.a(x))  # type: ignore[no-any-return, operator]


ON_HOST = {
    "relu": (F.relu, ["ReLU"]),
    "relu6": (F.relu6, ["clamp"]),
    "hard sigmoid": (F.hardsigmoid, ["clamp"]),
    "leaky": (lambda x: F.leaky_relu(x, 0.1), ["leaky ReLU"]),
    "scaled relu": (lambda x: 3 * F.relu(x) + 1, ["ReLU", "scaling", "scaling"]),
    "relu of an image": (lambda x: F.relu(x.reshape(-1, 2, 2)).flatten(1), ["reshape", "ReLU", "reshape"]),
    "temperature": (lambda x: F.softmax(x / 2.5, 1), ["softmax"]),
    "relu, softmax": (lambda x: F.softmax(F.relu(x), 1), ["ReLU", "softmax"]),
    "probability of one class": (lambda x: F.softmax(x, 1)[:, 1], ["softmax", "selection", "reshape"]),
    "1 - sigmoid": (lambda x: 1 - torch.sigmoid(x), ["sigmoid", "scaling"]),
    "beta": (lambda x: F.softplus(x, beta=2), ["scaling", "softplus", "scaling"]),
    "class of pixels": (lambda x: x.reshape(-1, 2, 2).argmax(1), ["reshape", "argmax"]),
    "softmax of pixels": (lambda x: x.reshape(-1, 2, 2, 1).softmax(-3), ["reshape", "softmax"]),
    "class kept": (lambda x: x.argmax(1, keepdim=True).squeeze(1), ["argmax", "reshape"]),
}


@pytest.mark.parametrize("case", ON_HOST)
def test_the_host_computes_what_comes_after_the_last_synapses(case: str) -> None:
    function, titles = ON_HOST[case]
    model = Last(function)
    assert_read_and_lowered(model, (5,))
    lowered = lower(read_torch(model, (5,)))
    assert kinds(lowered.ann) == ["Linear a"]
    assert [f.title for f in lowered.ann.ending] == titles
    assert ending_shape(lowered.ann.ending, (4,)) == tuple(model(torch.ones(3, 5, dtype=torch.float64)).shape[1:])
    assert all(note.endswith("computed by the host, on the readout's outputs") for note in lowered.notes)
    assert lowered.notes


POPULATIONS = {
    "magnitude": torch.abs,
    "one of them": lambda x: F.relu(x)[:, :2],
    "slopes": lambda x: F.prelu(x, torch.tensor([0.1, 2.0, 0.3, 0.4], dtype=x.dtype)),
    "summed": lambda x: F.relu(x) + F.relu(-x),
}


@pytest.mark.parametrize("case", POPULATIONS)
def test_the_largest_potential_stays_the_largest_output(case: str) -> None:
    """What would change that is computed by neurons, so that a readout can decide on a board."""
    assert_read_and_lowered(Last(POPULATIONS[case]), (5,))
    assert any(kind.startswith("Relu") for kind in kinds(lower(read_torch(Last(POPULATIONS[case]), (5,))).ann))


def test_a_relu_that_is_pooled_is_a_population() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten())
    ann = assert_read_and_lowered(model, (1, 4, 4))
    assert any(kind.startswith("Relu") for kind in kinds(lower(ann).ann))
