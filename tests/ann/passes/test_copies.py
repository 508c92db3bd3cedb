"""Channels that are there several times: the function stays, whatever kind of map they go through."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Ann, Input, Linear, MaxPool, Relu
from loihiconv.ann.passes import copies as module
from loihiconv.ann.passes import lower
from loihiconv.ann.passes.copies import copied_scales, with_copies
from loihiconv.ann.passes.rewrite import spikes
from loihiconv.core.choices import PoolingWay
from loihiconv.core.errors import LimitExceeded
from loihiconv.core.linear import Conv, Dense, Sparse, from_matrix


class Residual(nn.Module):
    """A skip from spikes, one from the input, and one into the output."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.first(x) + x)
        z = torch.relu(self.second(y) + y)
        return self.last(z) + z


class Branches(nn.Module):
    """Concatenation of unequal branches, values moved about, and a layer that both a ReLU and the output take."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(2, 3, 1), nn.Conv2d(2, 4, 3, padding=1)
        self.shared, self.after = nn.Linear(7 * 36, 5), nn.Linear(5, 5)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        both = torch.cat([torch.relu(self.left(x)), torch.relu(self.right(x)).flip(2)], dim=1)
        shared = self.shared(both.flatten(1))
        return shared, self.after(torch.relu(shared))


def cnn(*layers: nn.Module, sizes: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), *layers, nn.Flatten(), nn.Linear(sizes, 3))


CASES: dict[str, tuple[nn.Module, PoolingWay]] = {
    "convolutions": (cnn(nn.Conv2d(4, 6, 3, stride=2), nn.ReLU(), sizes=24), "relu-tree"),
    "depthwise and grouped": (
        cnn(nn.Conv2d(4, 8, 3, groups=4), nn.ReLU6(), nn.Conv2d(8, 6, 1, groups=2), nn.ReLU(), sizes=96),
        "relu-tree",
    ),
    "a tree": (cnn(nn.MaxPool2d(3, 2, 1), nn.Conv2d(4, 2, 2), nn.ReLU(), sizes=8), "relu-tree"),
    "gates": (cnn(nn.MaxPool2d(2), sizes=36), "gate"),
    "gates of the input": (nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4, 3)), "gate"),
    "unequal averages": (cnn(nn.Conv2d(4, 4, 3, padding=1), nn.AvgPool2d(3, 2, 1), nn.ReLU(), sizes=36), "relu-tree"),
    "dense alone": (nn.Sequential(nn.Flatten(), nn.Linear(72, 9), nn.ReLU(), nn.Linear(9, 4), nn.ReLU(), nn.Linear(4, 2)), "gate"),
    "skips": (Residual(), "relu-tree"),
    "branches and two outputs": (Branches(), "relu-tree"),
}


def lowered(name: str) -> Ann:
    model, maxpool = CASES[name]
    torch.manual_seed(0)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    return lower(read_torch(model.double().eval(), (2, 6, 6)), maxpool).ann


@pytest.mark.parametrize("name", list(CASES))
@pytest.mark.parametrize("copies", [2, 3])
def test_the_function_stays_and_copies_are_equal(name: str, copies: int) -> None:
    ann = lowered(name)
    copied = with_copies(ann, copies)
    x = torch.randn(3, 2, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    copied_nodes = [node.name for node in ann if spikes(ann, node.name)]
    wanted, before = Evaluator(ann, dtype=torch.float64)(x, keep=copied_nodes)
    found, after = Evaluator(copied, dtype=torch.float64)(x, keep=copied_nodes)
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), atol=1e-12)
    for node in copied_nodes:
        np.testing.assert_allclose(after[node].numpy(), before[node].numpy().repeat(copies, axis=1), atol=1e-12)
    assert [(n.name, copied.shapes[n.name]) for n in copied.inputs] == [(n.name, ann.shapes[n.name]) for n in ann.inputs]
    assert (copied.output.name, copied.ends, copied.parts) == (ann.output.name, ann.ends, ann.parts)


def test_all_kinds_of_maps_are_among_the_cases() -> None:
    maps = {type(node.map) for name in CASES for node in with_copies(lowered(name), 2) if isinstance(node, Linear)}
    assert maps == {Conv, Dense, Sparse}


def test_a_map_without_synapses() -> None:
    nothing = from_matrix(np.zeros((2, 3)), (2,), (3,))
    linear = (
        Linear("hidden", ("input",), nothing, np.ones(2)),
        Relu("relu", ("hidden",)),
        Linear("output", ("relu",), Dense(np.ones((1, 2)))),
    )
    copied = with_copies(Ann((Input("input", (3,)), *linear)), 3)
    assert Evaluator(copied)(torch.zeros(1, 3))[0].item() == pytest.approx(2)


@pytest.mark.parametrize("name", ["convolutions", "depthwise and grouped", "dense alone", "gates of the input", "branches and two outputs"])
def test_weights_are_counted_before_they_are_made(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = lowered(name)
    made = [sum(node.map.weight.size for node in with_copies(ann, copies) if isinstance(node, Linear)) for copies in (1, 2, 3, 4)]
    assert [module.copied_weights(ann, copies) for copies in (1, 2, 3, 4)] == made
    monkeypatch.setattr(module, "MOST_WEIGHTS", made[1])
    module.check_copies(ann, 2)
    with pytest.raises(LimitExceeded, match=r"copies: 4 neurons for each activation make .* weights of .*; use copies=2 or more timesteps"):
        module.check_copies(ann, 4)
    monkeypatch.setattr(module, "MOST_WEIGHTS", made[1] - 1)
    with pytest.raises(LimitExceeded, match="use more timesteps in place of copies"):
        module.check_copies(ann, 2)
    module.check_copies(ann, 1)


def test_one_copy_is_the_network_itself() -> None:
    ann = lowered("skips")
    assert with_copies(ann, 1) is ann


def test_scales_are_those_of_the_channels() -> None:
    ann = lowered("gates")
    pool = next(node.name for node in ann if isinstance(node, MaxPool))
    scales = {"input": np.array(2.0), pool: np.arange(4.0).reshape(4, 1, 1), ann.output.name: np.arange(3.0)}
    scales |= {node.name: np.array(0.5) for node in ann if isinstance(node, Relu)}
    found = copied_scales(ann, scales, 2)
    assert found[pool].ravel().tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert all(found[name] is scales[name] for name in ("input", ann.output.name))
    assert all(found[node.name].shape == () for node in ann if isinstance(node, Relu))
