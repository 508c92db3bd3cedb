"""Convolutions of spikes get exponents where long windows leave their weights few steps, as far as the board holds their synapses."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.conversion import coarse_weights, gains, quantization
from loihiconv.core.linear import Array, Conv
from loihiconv.core.network import Connection, Network
from loihiconv.hardware.board import Board, load_board

BOARD = load_board("kapoho_point")
SHAPE = (4, 36, 36)


@cache
def network() -> nn.Module:
    """As networks of Atari games begin, untrained: silent neurons fall far at every step."""
    torch.manual_seed(0)
    layers = nn.Sequential(
        *(nn.Conv2d(4, 8, 8, 4), nn.ReLU(), nn.Conv2d(8, 16, 4, 2), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(16, 3)),
    )
    return layers.eval()


@cache
def samples() -> Array:
    """Smooth ones, (300, \\*SHAPE)."""
    coarse = torch.from_numpy(np.random.default_rng(0).normal(0.5, 0.3, (300, 4, 5, 5)))
    return np.asarray(nn.functional.interpolate(coarse, SHAPE[1:], mode="bilinear").clip(0, 1).float())


def converted(timesteps: int, board: Board = BOARD) -> Network:
    return lc.convert(network(), samples()[:100], board=board, timesteps=timesteps)


def exponents(net: Network) -> list[int]:
    """Of the convolutions that spikes drive."""
    return [c.weight_exp for c in net.connections if isinstance(c.map, Conv) and net[c.source].spiking]


def error(net: Network) -> float:
    """Of outputs, relative to their spread, on samples that are not calibrated on."""
    x = samples()[100:]
    wanted = network()(torch.from_numpy(x)).detach().numpy()
    wrong = np.asarray(lc.run(net, x, counts=False).outputs) - wanted
    return float(np.sqrt(np.square(wrong).sum() / np.square(wanted - wanted.mean(axis=0)).sum()))


def test_long_windows_do_not_cost_weights_their_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert exponents(converted(16)) == [0, 0]
    fine = converted(1024)
    assert max(exponents(fine)) < 0
    assert all(fine.record.quantization[name].weight_bits_used > 7 for name in ("2", "4"))
    monkeypatch.setattr(coarse_weights, "COARSE", np.inf)
    coarse = converted(1024)
    assert exponents(coarse)[1] == 0
    assert error(fine) < 0.5 * error(coarse)


def test_those_with_the_fewest_synapses_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the board holds one of two convolutions written out, it is the smaller one."""

    def room_for_one(net: Network, board: Board) -> object:
        return SimpleNamespace(fits=sum(e < 0 for e in exponents(net)) < 2)

    monkeypatch.setattr(coarse_weights, "COARSE", 1e-4)
    assert max(exponents(converted(512))) < 0
    monkeypatch.setattr(quantization, "place", room_for_one)
    first, second = exponents(converted(512))  # 16 x 3 x 3 neurons of 128 synapses each, and 16 of 144
    assert first == 0
    assert second < 0


def test_a_board_that_holds_none_of_them_keeps_weights_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor those that get an exponent because they have too few bits, as long as something is left of them."""
    monkeypatch.setattr(gains, "CONVOLUTION_BITS", 8.0)
    assert max(exponents(converted(512))) < 0
    monkeypatch.setattr(quantization, "place", lambda net, board: SimpleNamespace(fits=not any(exponents(net))))
    assert exponents(converted(512)) == [0, 0]


def test_what_fits_before_weights_are_rounded_adaptively_but_not_after_stays_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[Network] = []

    def room_for_nearest(net: Network, board: Board) -> object:
        if max(exponents(net)) < 0:
            fitted.append(net)
        return SimpleNamespace(fits=len(fitted) < 2)

    monkeypatch.setattr(coarse_weights, "COARSE", 1e-4)
    monkeypatch.setattr(quantization, "place", room_for_nearest)
    assert exponents(converted(512)) == [0, 0]
    assert len(fitted) == 2


def test_a_board_that_does_not_hold_the_network_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantization, "place", lambda net, board: SimpleNamespace(fits=False))
    assert exponents(converted(512)) == [0, 0]


def test_a_board_without_exponents_has_none() -> None:
    formats = replace(BOARD.formats, weight_exponents=False)
    network, board = converted(512), SimpleNamespace(formats=formats, weight_bits=BOARD.weight_bits)
    assert network.origin is not None
    assert coarse_weights.coarse_convolutions(network.origin, network, board) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("largest", "other", "number", "gain", "pays"),
    [
        (100, 1, 40, 40, True),  # 0.05 * 40 / 40^2 = 1.25e-3, and nothing where all are twice as large
        (100, 1, 40, 50, False),  # 0.8e-3
        (200, 1, 40, 40, False),  # they use their bits already
        (100, 0.5, 200, 40, False),  # 1.6e-3, but twice as large they are as wrong
        (50, 1, 40, 40, True),  # a shift by two cuts off (1 - 1/4) / 12 of 2
    ],
)
def test_what_an_exponent_must_bring(largest: float, other: float, number: int, gain: float, pays: bool) -> None:
    """Weights of both signs, in units of the sum: those of 1 are odd and become 0 or 2."""
    weight = np.array([largest, *[other, -other] * (number // 2)]).reshape(1, -1, 1, 1) / gain
    assert coarse_weights._pays(Connection("a", "b", Conv(weight)), gain, 1, BOARD) is pays
