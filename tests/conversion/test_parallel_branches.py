"""Several connections between the same two populations, which no one map can stand for: dilated convolutions and what is beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.core.input_coding import host_currents
from loihiconv.core.linear import Array, Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout
from loihiconv.evaluation.compare import mismatches
from loihiconv.evaluation.explain.fidelity import weight_fidelity
from loihiconv.evaluation.explain.reference import matching, read_reference
from loihiconv.lava.client import run_lava
from loihiconv.simulator import simulate


class Branches(nn.Module):
    """relu(a(x) + b(x)) or relu(a(x) + x), then two more branches with a stride, and the readout."""

    def __init__(self, *, skip: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b = nn.Conv2d(3, 3, 3, padding=2, dilation=2), nn.Identity() if skip else nn.Conv2d(3, 3, 1)
        self.c, self.d = nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Conv2d(3, 4, 3, stride=2, padding=2, dilation=2, bias=False)
        self.e = nn.Linear(64, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.a(x) + self.b(x))
        x = torch.relu(self.c(x) + self.d(x)).flatten(1)
        outputs: torch.Tensor = self.e(x)
        return outputs


def images(samples: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).random((samples, 3, 8, 8)).astype(np.float32)


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("rounding", ["auto", "adaptive"])
@pytest.mark.parametrize("board", ["kapoho_point", "kapoho_bay"])
def test_branches_between_the_same_populations_convert(skip: bool, rounding: Any, board: str) -> None:
    model, x, unseen = Branches(skip=skip).eval(), images(60), images(40, 1)
    network = lc.convert(model, x, board=board, timesteps=64, rounding=rounding)
    outputs = lc.run(network, unseen).potentials.astype(np.float64).ravel()
    wanted = model(torch.from_numpy(unseen)).detach().numpy().ravel()
    assert np.corrcoef(outputs, wanted)[0, 1] > 0.99
    assert network.origin is not None
    for own, other in ((network, network.origin), (network.origin, network)):
        assert all((twin := matching(c, own, other)) is not None and twin.name == c.name for c in own.connections)
    assert len(network.connections) == 5
    fidelity = weight_fidelity(network, read_reference(model, network.origin))
    assert len(fidelity) == len(network.connections)
    assert max(f.error for f in fidelity) < 0.15


def test_currents_of_several_connections_add_up_on_the_host() -> None:
    """2 * 3 * 2 + 5 * 3 / 2 + 7 = 26.5, halves to even; the bias counts once."""
    populations = (
        Input("input", (1,), payload_max=3, scale=3.0),
        IF("a", (1,), 10, np.zeros(1, np.int32), np.full(1, 7, np.int32)),
        Readout("r", (1,), np.zeros(1, np.int32), np.zeros(1, np.int32)),
    )
    first, second = (Connection("input", "a", Dense(np.array([[w]], np.int32)), on_host=True, weight_exp=e) for w, e in ((2, 1), (5, -1)))
    last = Connection("a", "r", Dense(np.array([[1]], np.int32)))
    network = Network(populations, (first, second, last), 1, fixed_point=True)
    np.testing.assert_array_equal(host_currents(network, {"input": np.array([[3]], np.int32)})["a"], [[26]])


@pytest.mark.lava
def test_lava_takes_adaptively_rounded_branches_of_one_sign() -> None:
    model, x = Branches(skip=False).eval(), images(40)
    with torch.no_grad():
        for parameter in (model.a.weight, model.d.weight):
            parameter.abs_()
    network = lc.convert(model, x, board="kapoho_point", timesteps=4, rounding="adaptive")
    assert any((c.map.weight >= 0).all() and (c.map.weight % 2).any() for c in network.connections)
    recording = run_lava(network, x[:2], record=["spikes"], deadline=120)
    assert mismatches(simulate(network, x[:2], record=["spikes"]), recording) == (dict.fromkeys(recording.spikes, 0), 0)
