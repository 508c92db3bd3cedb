"""Bounded and leaky activations, constants and differences: rates converge to what the model computes, and λ keeps to bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import loihiconv as lc
from loihiconv.ann.graph import Ann, Input, Linear, Node, Relu
from loihiconv.conversion.calibration import calibrate
from loihiconv.conversion.measuring import read
from loihiconv.conversion.scales import choose_scales
from loihiconv.conversion.settings import Settings
from loihiconv.core.linear import Array, Dense
from loihiconv.core.network import IF
from loihiconv.evaluation.compare import mismatches
from loihiconv.lava.client import run_lava
from loihiconv.simulator import simulate
from tests.ann.frontends.nets import Net

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu6": nn.ReLU6,
    "low bound": lambda: nn.Hardtanh(0, 0.4),
    "hardtanh": lambda: nn.Hardtanh(-0.5, 0.25),
    "bound per channel": lambda: Net(lambda m, x: torch.minimum(x.relu(), torch.linspace(0.2, 1, x.shape[1])[:, None, None])),
    "leaky": lambda: nn.LeakyReLU(0.2),
    "prelu": lambda: nn.PReLU(init=0.4),
    "absolute values": lambda: Net(lambda m, x: abs(x) - 0.2),
}
AFFINE: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "standardized": lambda m, x: m.b(F.relu(m.a((x - torch.tensor([0.3, 0.6])[:, None, None]) / 0.25))),
    "inverted": lambda m, x: m.b(F.relu6(m.a(1 - x))),
    "difference": lambda m, x: m.b((y := F.relu(m.a(x))) - 0.5 * F.avg_pool2d(y, 3, 1, 1)),
    "leaky at the end": lambda m, x: F.leaky_relu(m.b(F.relu(m.a(x))), 0.5),
    "bound at the end": lambda m, x: F.hardtanh(2 * m.b(F.relu(m.a(x))) + 0.3, 0, 0.5),
}


def images(samples: int, seed: int = 1) -> Array:
    return np.random.default_rng(seed).random((samples, 2, 8, 8)).astype(np.float32)


def deep(activation: Callable[[], nn.Module], pool: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 6, 3, padding=1), nn.BatchNorm2d(6), activation(), pool, nn.Conv2d(6, 8, 3, stride=2, padding=1), activation()]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(32, 5))
    for _ in range(5):
        model(torch.rand(64, 2, 8, 8))
    return model.eval()


def shallow(name: str) -> nn.Module:
    torch.manual_seed(0)
    head = nn.Sequential(nn.Flatten(), nn.Linear(256, 5))
    return Net(AFFINE[name], a=nn.Conv2d(2, 4, 3, padding=1), b=head).eval()


def assert_converges(model: nn.Module, timesteps: int = 256, **options: Any) -> None:
    """Every output follows the model's on new samples, but for those that hardly change."""
    x, unseen = images(300), images(60, 2)
    network = lc.convert(model, x, board=None, timesteps=timesteps, percentile=100, **options)
    found = lc.run(network, unseen, backend="float").outputs
    wanted = model(torch.from_numpy(unseen)).detach().numpy()
    for output in np.flatnonzero(wanted.std(axis=0) > wanted.std(axis=0).max() / 10):
        assert np.corrcoef(found[:, output], wanted[:, output])[0, 1] > 0.99


@pytest.mark.parametrize("pool", [nn.AvgPool2d(2), nn.MaxPool2d(2)], ids=["average", "maximum"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_converge(name: str, pool: nn.Module) -> None:
    assert_converges(deep(ACTIVATIONS[name], pool))


@pytest.mark.parametrize("name", AFFINE)
def test_constants_and_differences_converge(name: str) -> None:
    assert_converges(shallow(name))


@pytest.mark.parametrize("options", [{"spike_bits": 4, "timesteps": 16}, {"per_channel": False}, {"input_coding": "rate"}], ids=str)
def test_bounds_with_other_settings(options: dict[str, Any]) -> None:
    assert_converges(deep(ACTIVATIONS["low bound"], nn.AvgPool2d(2)), **options)


def scaled(bound: float | Array, settings: Settings, **relu: Any) -> Array:
    """λ of a layer of two units that are up to 1 and 10."""
    nodes: list[Node] = [Input("x", shape=(2,)), Linear("a", ("x",), Dense(np.diag([1.0, 10.0])))]
    nodes += [Relu("relu", ("a",), bound=bound, **relu), Linear("b", ("relu",), Dense(np.eye(2)))]
    ann = Ann(tuple(nodes))
    x = np.random.default_rng(0).random((500, 2)).astype(np.float32)
    return choose_scales(ann, calibrate(ann, x, per_channel=True), settings)["relu"]


def test_no_scale_is_above_the_bound() -> None:
    percentile = Settings(8, scale="percentile", percentile=100, per_channel=False)
    assert scaled(np.inf, percentile) > 9.9
    assert scaled(3.0, percentile) == 3
    assert scaled(0.3, Settings(8, percentile=None)) == 0.3  # without normalisation it is 1
    assert scaled(3.0, Settings(8, scale="percentile", percentile=99.99)).tolist() == [pytest.approx(1, abs=0.02), 3]
    np.testing.assert_array_equal(scaled(np.array([0.25, 3]), percentile), [0.25, 3])
    assert scaled(3.0, Settings(8, scale="percentile", percentile=100, per_channel=False, spike_bits=4)) == 3 / 15


def test_rounded_activations_have_the_scale_of_their_bound() -> None:
    assert scaled(40.0, Settings(8), levels=8) == 40
    assert scaled(40.0, Settings(8)).max() < 11


def test_rates_of_as_many_steps_as_levels_are_those_of_training() -> None:
    """One layer, driven by constant currents, is exact; rounding to other steps is not."""
    rounded = Net(lambda m, x: m.b(torch.floor(torch.clamp(m.a(x) / 2, 0, 1) * 8 + 0.5) / 8 * 2), a=nn.Linear(6, 12), b=nn.Linear(12, 4))
    torch.manual_seed(0)
    for layer in (rounded.a, rounded.b):
        nn.init.normal_(layer.weight)
    x = np.random.default_rng(0).random((200, 6)).astype(np.float32)
    expected = rounded(torch.from_numpy(x)).detach().numpy()
    errors = {}
    for timesteps in (8, 64):
        network = lc.convert(rounded.eval(), x, board=None, timesteps=timesteps, bias_correction=False)
        outputs = lc.run(network, x, backend="float").outputs
        errors[timesteps] = np.abs(outputs - expected).max()
        assert any("timesteps=8" in note for note in network.record.notes)
    assert errors[8] < 1e-4
    assert errors[64] > 0.05


def test_a_network_knows_its_bounds() -> None:
    network = lc.convert(deep(nn.ReLU6, nn.AvgPool2d(2)), images(50), board="kapoho_point", timesteps=8)
    assert network.origin is not None
    for net in (network, network.origin):
        first = net["0"]
        assert isinstance(first, IF)
        assert first.bound is not None
        np.testing.assert_allclose(first.bound.ravel() * network.record.calibration.scales["0"], 6, rtol=1e-6)
    unbounded = lc.convert(deep(nn.ReLU, nn.AvgPool2d(2)), images(50), board=None, timesteps=8)
    assert all(p.bound is None for p in unbounded.populations if isinstance(p, IF))


def test_what_the_host_computes_at_the_end_is_said() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(128, 4), nn.ReLU(), nn.Linear(4, 3), nn.Sigmoid(), nn.Softmax(1))
    assert read(model.eval(), images(3)).notes == tuple(f"{name}: computed by the host, on the readout's outputs" for name in ("4", "5"))


@pytest.mark.slow
@pytest.mark.lava
@pytest.mark.parametrize("pool", [nn.AvgPool2d(2), nn.MaxPool2d(2)], ids=["average", "maximum"])
@pytest.mark.parametrize("name", ["low bound", "leaky", "hardtanh"])
def test_lava_computes_the_same(name: str, pool: nn.Module) -> None:
    network = lc.convert(deep(ACTIVATIONS[name], pool), images(50), board="kapoho_point", timesteps=8)
    x = images(2, 3)
    recording = run_lava(network, x, record=["spikes"], deadline=240)
    assert mismatches(simulate(network, x, record=["spikes"]), recording) == (dict.fromkeys(recording.spikes, 0), 0)
