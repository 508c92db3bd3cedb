from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import loihiconv as lc
from loihiconv.ann.frontends import readable
from loihiconv.ann.graph import Add, Ann, Linear, Relu
from loihiconv.ann.passes import lower
from loihiconv.conversion.naming import population_names
from loihiconv.core.linear import Dense
from loihiconv.core.network import Network
from loihiconv.evaluation.explain.reference import read_reference
from tests.conversion.test_spiking import ANN


def test_populations_are_called_as_their_linear_layers() -> None:
    assert population_names(ANN) == {"x": "x", "fc": "fc", "relu": "fc", "out": "out"}
    tree = Ann((*ANN.nodes[:3], Relu("own", ("fc",), scale_of="relu")))
    assert population_names(tree)["own"] == "own"


def test_a_layer_that_takes_a_sum_gives_its_name() -> None:
    parts = (*ANN.nodes[:3], Linear("pick", ("relu",), Dense(np.eye(1)), layer="fc"), Linear("skip", ("relu",), Dense(np.eye(1))))
    for layer, name in (("next", "next"), ("", "own"), ("fc", "own")):  # two populations cannot both be called fc
        summed = Ann((*parts, Add("sum", ("pick", "skip"), layer), Relu("own", ("sum",)), Linear("end", ("own",), Dense(np.eye(1)))))
        assert population_names(summed)["own"] == name
    sliced = Ann((*ANN.nodes[:2], Linear("pick", ("fc",), Dense(np.eye(1)), layer="fc"), Relu("own", ("pick",))))
    assert population_names(sliced)["own"] == "fc"
    twice = Ann((*ANN.nodes[:3], Relu("second", ("fc",)), Add("end", ("relu", "second"))))
    assert list(population_names(twice).values()) == ["x", "fc", "fc", "second", "end"]


class Functional(nn.Module):
    """As people write networks: activations are functions, and a convolution's result goes to a sum."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)
        self.dense, self.point, self.bn, self.down = (
            nn.Conv2d(2, 2, 3, padding=1),
            nn.Conv2d(2, 2, 1),
            nn.BatchNorm2d(2),
            nn.Conv2d(1, 2, 1),
        )
        self.fc1, self.fc2 = nn.Linear(8, 4), nn.Linear(4, 3)

    def forward(self, given: Tensor) -> Tensor:
        x = F.relu(self.conv1(given))
        x = F.relu(self.down(given) + self.bn(self.conv3(F.relu(self.conv2(x)))))  # the shorter way comes first
        x = torch.relu(self.point(x) + self.dense(x))
        x = F.relu(x + F.max_pool2d(x, 3, 1, 1))  # no layer of its own
        x = F.relu(self.fc1(F.max_pool2d(x, 2).flatten(1)))
        return self.fc2(x)


NAMES = ["input", "conv1", "conv2", "conv3", "dense", "max_pool2d", "relu_4", "max_pool2d_1", "fc1", "fc2"]


@pytest.fixture(scope="module")
def model() -> nn.Module:
    torch.manual_seed(0)
    return Functional().eval()


def test_sums_are_called_as_the_last_layer_of_their_longest_way(model: nn.Module) -> None:
    ann = lower(readable(model).ann((1, 4, 4))).ann
    names = population_names(ann)
    assert [names[node.name] for node in ann if isinstance(node, Relu) or names[node.name] in ("input", "fc2")] == [
        name for name in NAMES if not name.startswith("max")
    ]
    exported = torch.export.export(model, (torch.zeros(2, 1, 4, 4),)).module()
    assert [layer.name for layer in lc.check(exported, (1, 4, 4)).layers] == NAMES


@pytest.mark.filterwarnings("ignore:calibration data")
def test_networks_from_before_are_found_beside_their_model(model: nn.Module) -> None:
    """Sums were called as their activations, and merged branches as their sum."""
    x = np.random.default_rng(0).random((20, 1, 4, 4), np.float32)
    net = lc.convert(model, x, board=None, timesteps=8)
    old = _renamed(net, {"conv3": "relu_2", "dense": "add_1"})
    for network in (net, old):
        reference = read_reference(model, network)
        assert reference.expected is not None
        assert set(reference.activations(x, {"relu_2", "conv3", "add_1", "dense"})) == {p.name for p in network.populations} & {
            *("relu_2", "conv3", "add_1", "dense")
        }


def _renamed(net: Network, names: dict[str, str]) -> Network:
    def new(name: str) -> str:
        return names.get(name, name)

    calibration = replace(net.record.calibration, scales={new(name): values for name, values in net.record.calibration.scales.items()})
    return replace(
        net,
        populations=tuple(replace(p, name=new(p.name)) for p in net.populations),
        connections=tuple(replace(c, source=new(c.source), target=new(c.target)) for c in net.connections),
        record=replace(net.record, calibration=calibration),
    )
