"""Scales that leave weights of few bits a finer step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.ann.graph import Ann
from loihiconv.conversion import scales as scale_rules
from loihiconv.conversion.calibration import Calibration, calibrate
from loihiconv.conversion.clipping import fitting_factor, rounding_errors
from loihiconv.conversion.few_bits import scales_for_bits
from loihiconv.conversion.measuring import read
from loihiconv.conversion.scales import choose_scales
from loihiconv.conversion.settings import Settings
from loihiconv.core.linear import Array, LinearMap
from tests.conversion.small import data
from tests.conversion.test_rounding_choice import coarse


@pytest.fixture(autouse=True)
def _quiet_channels_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the channel that is made here would have given way before."""
    monkeypatch.setattr(scale_rules, "QUIET", 0.0)


def uneven(activation: nn.Module | None = None, pool: nn.Module | None = None) -> nn.Module:
    """The second convolution's first channel passes only the peaks of its sums, so that its weights are large beside its scale."""
    torch.manual_seed(0)
    first, second = nn.Conv2d(2, 6, 3, padding=1), nn.Conv2d(6, 8, 3, padding=1)
    with torch.no_grad():
        sums = second(torch.relu(first(torch.from_numpy(data(50))))).transpose(0, 1).flatten(1)
        second.bias += 2 * sums.std(dim=1) - sums.mean(dim=1)
        second.bias[0] -= 4 * sums.std(dim=1)[0]
    last = nn.Linear(8 * 64 if pool is None else 8 * 16, 5)
    return nn.Sequential(first, nn.ReLU(), second, activation or nn.ReLU(), pool or nn.Identity(), nn.Flatten(), last).eval()


def scales(model: nn.Module, weight_bits: int, **settings: Any) -> tuple[dict[str, Array], dict[str, Array], Ann]:
    """As chosen, and for so many bits."""
    x = data(100)
    ann = read(lc.ann.frontends.readable(model), x[:4], "gate").ann
    wanted = Settings(64, **settings)
    known: Calibration = calibrate(ann, x, per_channel=wanted.per_channel)
    chosen = choose_scales(ann, known, wanted)
    return chosen, scales_for_bits(ann, known, chosen, wanted, weight_bits), ann


def raised(model: nn.Module, weight_bits: int, **settings: Any) -> dict[str, Array]:
    chosen, found, _ = scales(model, weight_bits, **settings)
    return {name: np.asarray(found[name] / chosen[name]).ravel() for name in chosen}


@pytest.mark.parametrize("settings", [{}, {"scale": "percentile"}, {"spike_bits": 2}])
def test_the_channel_of_large_weights_gives_way(settings: dict[str, Any]) -> None:
    factors = raised(uneven(), 4, **settings)
    first, second = [f for f in factors.values() if f.size > 1][:2]
    assert (first == 1).all()  # payloads drive it
    assert 1 < second[0] <= 4.001
    assert second[0] == second.max()
    assert np.median(second) == 1


class Residual(nn.Module):
    """Passes on what it takes, beside a convolution of it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(2, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.first(x))
        return torch.relu(self.second(y) + y)


def test_skips_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by what they err nor by their largest weights, which would leave the convolution's step."""
    seen: list[LinearMap] = []

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        def watching(linear: LinearMap, *given: Any) -> Any:
            seen.append(linear)
            return function(linear, *given)

        return watching

    for function in (rounding_errors, fitting_factor):
        monkeypatch.setattr(f"loihiconv.conversion.few_bits.{function.__name__}", watched(function))
    raised(nn.Sequential(Residual(), nn.Flatten(), nn.Linear(512, 5)).eval(), 4)
    assert {linear.weight.shape for linear in seen} == {(8, 8, 3, 3)}  # payloads drive the first


def test_eight_bits_and_scales_per_layer_stay() -> None:
    for bits, settings in ((8, {}), (4, {"per_channel": False})):
        assert all((f == 1).all() for f in raised(uneven(), bits, **settings).values())


def test_fewer_steps_raise_less() -> None:
    """Two levels of rates are coarser than 4 bits of weights."""
    x, model = data(100), uneven()
    ann = read(lc.ann.frontends.readable(model), x[:4], "gate").ann
    known, wanted = calibrate(ann, x, per_channel=True), Settings(2)
    chosen = choose_scales(ann, known, wanted)
    found = scales_for_bits(ann, known, chosen, wanted, 4)
    assert all((found[name] == chosen[name]).all() for name in chosen)


def test_what_is_pooled_and_its_pool_keep_one_scale() -> None:
    _, found, ann = scales(uneven(pool=nn.MaxPool2d(2)), 4)
    (pool,) = [node for node in ann if type(node).__name__ == "MaxPool"]
    np.testing.assert_array_equal(found[pool.name], found[pool.inputs[0]])
    assert np.size(found[pool.name]) == 8


def test_no_scale_goes_beyond_a_bound() -> None:
    _, found, ann = scales(uneven(activation=nn.ReLU6()), 4, percentile=100)
    for node in ann:
        if getattr(node, "bounded", False):
            assert (found[node.name] <= 6).all()


def test_the_converted_network_errs_less(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = uneven(), data(300)
    board, test = coarse(4), data(100, seed=5)
    with torch.no_grad():
        outputs = model(torch.from_numpy(test)).numpy()

    def error() -> float:
        net = lc.convert(model, x, board=board, timesteps=64)
        return float(np.square(np.asarray(lc.run(net, test).outputs) - outputs).mean())

    now = error()
    monkeypatch.setattr("loihiconv.conversion.building.scales_for_bits", lambda ann, known, chosen, *_: chosen)
    assert now < 0.8 * error()


@pytest.mark.parametrize("bits", [2, 4, 7])
def test_gates_need_no_weights_of_a_board(bits: int) -> None:
    """What leads to them says which spikes they compare, in ones, which few bits would not hold."""
    with pytest.warns(UserWarning, match="no chip has gates"):
        network = lc.convert(uneven(pool=nn.MaxPool2d(2)), data(50), board=coarse(bits), timesteps=8, maxpool="gate")
    assert [v.quantity for v in lc.place(network, coarse(bits)).violations if v.certain] == ["max_pooling"]
