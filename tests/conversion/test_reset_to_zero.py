"""Networks for neurons that reset to zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import loihiconv as lc
from loihiconv.conversion.bias_correction import measured_rates
from loihiconv.conversion.reset_to_zero import reset_to_zero, resets_to_zero
from loihiconv.core.network import IF, Network
from loihiconv.core.record import RealizationRecord
from loihiconv.demo import digits, digits_cnn
from loihiconv.hardware.board import load_board
from loihiconv.lava.chip.lif import VTH_MAX
from loihiconv.simulator import simulate

BOARD = load_board("kapoho_point")
X, _, X_TEST, Y_TEST = digits()


@pytest.fixture(scope="module")
def net() -> Network:
    return lc.convert(digits_cnn(), X[:200], board="kapoho_point", timesteps=16)


def test_what_is_corrected_fires_as_it_should(net: Network) -> None:
    """Every layer sends, on average, what the network itself sends, divided by the ratio; without correction it is less."""
    assert net.origin is not None
    plain = reset_to_zero(net, net.origin, "lifreset", BOARD, ratio=2.0)
    corrected = reset_to_zero(net, net.origin, "lifreset", BOARD, ratio=2.0, calibration=X[:200])
    assert corrected.record.realization == RealizationRecord("lifreset", quantized_again=True, ratio=2.0, corrected=True)
    wanted, *found = (measured_rates(n, X[:200]) for n in (net, plain, corrected))
    for population in net.populations[1:-1]:
        before, after = (np.abs(f[population.name] - wanted[population.name] / 2).mean() for f in found)
        assert after < before / 2
    right = [(simulate(n, X_TEST).predictions == Y_TEST).mean() for n in (plain, corrected)]
    assert right[1] > max(right[0], 0.98)


class Two(torch.nn.Module):
    """Outputs of which one is fourteen times as large as the other."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.policy, self.value = torch.nn.Linear(8, 32), torch.nn.Linear(32, 3), torch.nn.Linear(32, 2)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        hidden = torch.relu(self.body(x))
        return {"policy": self.policy(hidden), "value": 20 * self.value(hidden)}


@pytest.mark.parametrize("realization", ["lif", "lifreset"])
def test_each_of_several_outputs_keeps_its_mean(realization: str) -> None:
    torch.manual_seed(0)
    x = np.random.default_rng(0).random((200, 8)).astype(np.float32)
    net = lc.convert(Two(), x, board="kapoho_point", timesteps=32)
    assert net.origin is not None
    assert np.ptp([part.scale for part in net.readout.parts]) > 1
    made = reset_to_zero(net, net.origin, realization, BOARD, ratio=3.0, calibration=x)
    wanted, found = (simulate(n, x).outputs for n in (net, made))
    for name in ("policy", "value"):
        size = np.abs(wanted[name]).mean()
        assert np.abs((found[name] - wanted[name]).mean(axis=0)).max() < 0.02 * size


def test_the_ratio_is_the_one_that_agrees_best(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reset_to_zero.__module__ + ".RATIOS", (3.0, 8.0))
    assert net.origin is not None
    chosen = reset_to_zero(net, net.origin, "netx", BOARD, calibration=X[:64])
    expected = simulate(net, X[:64]).predictions
    agreement = {}
    for ratio in (3.0, 8.0):
        tried = reset_to_zero(net, net.origin, "netx", BOARD, ratio=ratio, calibration=X[:64])
        agreement[ratio] = (simulate(tried, X[:64]).predictions == expected).mean()
    assert chosen.record.realization is not None
    assert agreement[chosen.record.realization.ratio or 0] == max(agreement.values())


@pytest.mark.parametrize("realization", ["lif", "lifreset", "netx"])
def test_its_numbers_are_those_of_the_realization(net: Network, realization: str) -> None:
    assert net.origin is not None
    assert not resets_to_zero(net, realization)
    made = reset_to_zero(net, net.origin, realization, BOARD, calibration=X[:32], ratio=4.0)
    assert resets_to_zero(made, realization)
    assert all(p.vth <= VTH_MAX for p in made.populations if isinstance(p, IF))
    hidden = made.populations[1]
    assert isinstance(hidden, IF)
    assert resets_to_zero(_with(made, replace(hidden, v_init=np.array(1, np.int32))), realization) == (realization == "lif")
    assert resets_to_zero(_with(made, replace(hidden, bias=hidden.bias + 1)), realization) == (realization != "netx")
    shifted = replace(made.connections[0], weight_exp=-1)
    assert resets_to_zero(replace(made, connections=(shifted, *made.connections[1:])), realization) == (realization != "netx")
    assert not resets_to_zero(_with(made, replace(hidden, reset="subtract")), realization)


def _with(network: Network, population: IF) -> Network:
    return replace(network, populations=tuple(population if p.name == population.name else p for p in network.populations))
