"""`loihiconv.estimate_energy`: which samples, which board, which engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.backends import energy
from loihiconv.core.errors import InvalidData, InvalidSetting, LimitExceeded
from loihiconv.hardware.energy import estimate
from loihiconv.hardware.measurements import PILOTNET_LIF
from loihiconv.hardware.place import place
from loihiconv.simulator.engine import simulate
from tests.hardware.test_energy import network
from tests.hardware.test_sanafe import SIMULATED

X = np.stack([np.full((1, 2, 2), value, np.float32) for value in (1.0, 0.5, 0.0, 1.0)])


def test_it_is_the_mean_of_the_first_samples() -> None:
    net = network()
    for count in (1, 3):
        expected = estimate(net, simulate(net, X[:count]), place(net))
        assert lc.estimate_energy(net, X, samples=count).to_json() == expected.to_json()
    assert lc.estimate_energy(net, X).joules == lc.estimate_energy(net, X, samples=3).joules


def test_another_board_has_other_figures() -> None:
    found = lc.estimate_energy(network(), X, board="kapoho_point")
    assert (found.yardstick, found.parts) == (PILOTNET_LIF, None)


def test_what_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(energy, "simulate_chip", lambda *given: asked.append(given) or SIMULATED)
    found = lc.estimate_energy(network(), X, engine="sanafe", samples=2)
    assert len(asked[0][1]) == 2
    assert repr(found) == "<EnergyEstimate, a sample takes 0.88 to 1.12 µJ in 0.075 to 0.125 ms>"
    (table,) = found.tables()
    assert table.title == "a sample of 10 steps, estimated"
    assert table.rows[:4] == [
        ["energy", "0.88 to 1.12 µJ"],
        ["of it synapses", "0.528 to 0.672 µJ"],
        ["of it neurons", "0.352 to 0.448 µJ"],
        ["time", "0.075 to 0.125 ms"],
    ]
    assert [row[0] for row in table.rows[-3:]] == [
        f"busiest core's {name} per step" for name in ("synaptic operations", "compartments", "messages")
    ]
    (label,) = found.remarks()
    assert label.startswith("simulated by SANA-FE")
    assert (
        "PilotNet (LIF), 1.66e+03 µJ in 2.45 ms, 16 steps, 74 cores" in lc.estimate_energy(network(), X, board="kapoho_point").remarks()[1]
    )


def test_mistakes_are_named() -> None:
    net = network()
    with pytest.raises(InvalidSetting, match=r"engine: unknown engine 'sana', did you mean 'sanafe'.*; one of counts, sanafe"):
        lc.estimate_energy(net, X, engine="sana")  # type: ignore[arg-type]
    with pytest.raises(InvalidSetting, match="samples: 0; a number of at least 1"):
        lc.estimate_energy(net, X, samples=0)
    with pytest.raises(InvalidData, match="input: "):
        lc.estimate_energy(net, X[:, :, :1])
    with pytest.raises(LimitExceeded, match="SANA-FE has no figures for Loihi 2"):
        lc.estimate_energy(net, X, board="kapoho_point", engine="sanafe")


def test_a_network_without_a_board_needs_one_named() -> None:
    with pytest.raises(InvalidSetting, match="board: no board given"):
        lc.estimate_energy(replace(network(), board=""), X)
