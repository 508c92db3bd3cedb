"""SANA-FE beside the emulator: the same spikes and operations, by a program that others wrote; and what it is not asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from loihiconv.core.errors import BackendUnavailable, LimitExceeded, UnsupportedLayer
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, Connection, Network
from loihiconv.hardware.board_fields import Limit
from loihiconv.hardware.energy import estimate, simulated
from loihiconv.hardware.place import place
from loihiconv.hardware.sanafe import MOST_SYNAPSES, Simulated, simulate_chip
from loihiconv.simulator.engine import simulate
from tests.hardware.nets import chain, mobilenet, ones
from tests.hardware.test_energy import network


@pytest.fixture(scope="module")
def sanafe() -> Iterator[None]:
    """Installed in a folder of its own by `scripts/setup_env.py`, as it brings packages named tests and scripts; or skipped."""
    before = list(sys.path)
    sys.path.append(str(Path(sys.prefix) / "sanafe"))
    try:
        pytest.importorskip("sanafe", reason="SANA-FE is not installed: pip install --target FOLDER sanafe")
        yield
    finally:
        sys.path[:] = before


X = np.array([[[[0.9, 0.2], [0.5, 0.0]]], [[[0.1, 1.0], [0.3, 0.7]]]], np.float32)


def drawn(seed: int, reset: str = "subtract", *, rate: bool = False, skip: bool = False) -> Network:
    """The net of the energy's tests with random weights, starts and biases; and, with a skip, synapses that wait."""
    net, random = network(), np.random.default_rng(seed)
    even = lambda *shape: 2 * random.integers(-40, 60, shape)  # noqa: E731
    a, b = net["a"], net["b"]
    assert isinstance(a, IF)
    assert isinstance(b, IF)
    populations = (
        replace(net.input, coding="rate") if rate else net.input,
        replace(a, reset=reset, v_init=np.array([[[64 * 100, 0], [32, 64 * 7]]]), bias=np.array([64 * 9]), vth=240),
        replace(b, reset=reset, v_init=64 * random.integers(0, 200, b.shape), bias=8 * random.integers(-9, 90, b.shape), vth=248),
        net.readout,
    )
    connections = [
        Connection("input", "a", Conv(even(1, 1, 1, 1) + (200 if rate else 2)), on_host=not rate),
        Connection("a", "b", Conv(even(2, 1, 3, 3), padding=(1, 1, 1, 1))),
        Connection("b", "out", Dense(even(3, 8))),
    ]
    if skip:
        connections.append(Connection("a", "out", Dense(even(3, 4))))
    return replace(net, populations=populations, connections=tuple(connections), timesteps=24)


@pytest.mark.usefixtures("sanafe")
@pytest.mark.parametrize(
    ("reset", "rate", "skip"), [("subtract", False, False), ("zero", False, False), ("subtract", True, False), ("zero", False, True)]
)
def test_it_counts_the_emulators_spikes_and_operations(reset: str, rate: bool, skip: bool) -> None:
    for seed in range(2):
        net = drawn(seed, reset, rate=rate, skip=skip)
        recording, placement = simulate(net, X), place(net)
        found = simulate_chip(net, X, placement)
        assert (found.spikes, found.synaptic_operations) == pytest.approx(
            (sum(c.sum() for c in recording.spike_counts.values()) / 2, recording.synaptic_operations)
        )
        assert found.spikes > 0
        assert found.steps == 24 + 3 - (not rate)


@pytest.mark.usefixtures("sanafe")
def test_energy_worked_out_by_hand() -> None:
    """40 spikes reach 8 synapses each, on the same core. Updated are a and b in their ten steps, their second compartments in all 12."""
    net = network()
    found = simulate_chip(net, np.ones((1, 1, 2, 2), np.float32), place(net))
    assert (found.spikes, found.synaptic_operations, found.messages, found.steps) == (40, 320, 40, 12)
    compartments, written = 4 + 4 + 8 + 8 + 3, 10 * (4 + 8) + 12 * (4 + 8)  # nothing reaches the readout
    assert found.parts["synapses"] == pytest.approx(320 * 24.0e-12)
    assert found.parts["spike messages"] == pytest.approx(40 * 111e-12)
    assert found.parts["neurons"] == pytest.approx(1e-12 * (12 * compartments * 51.2 + written * 21.6 + 40 * 69.3))
    assert found.joules == pytest.approx(sum(found.parts.values()))


SIMULATED = Simulated(12, 1e-6, 1e-4, {"synapses": 6e-7, "neurons": 4e-7}, 40.0, 320.0, 40.0)


def test_a_range_with_the_error_that_its_authors_state() -> None:
    net = network()
    found = estimate(net, simulate(net, np.ones((1, 1, 2, 2), np.float32)), place(net))
    told = simulated(found, SIMULATED)
    assert told.joules == pytest.approx((0.88e-6, 1.12e-6))
    assert told.seconds == pytest.approx((0.75e-4, 1.25e-4))
    assert told.parts is not None
    assert told.parts["neurons"] == pytest.approx((0.88 * 4e-7, 1.12 * 4e-7))
    assert "12 % of a chip's energy and 25 % of its time" in told.label
    assert "it counts" not in told.label
    assert simulated(found, replace(SIMULATED, spikes=39.0)).label.endswith("it counts 39 spikes, the emulator 40")


def test_what_it_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network()
    with pytest.raises(LimitExceeded, match="sanafe: SANA-FE has no figures for Loihi 2"):
        simulate_chip(net, X, place(net, "kapoho_point"))
    with pytest.raises(LimitExceeded, match="sanafe: this network is float"):
        simulate_chip(replace(net, fixed_point=False), X, place(net))
    random = replace(net, populations=(replace(net.input, coding="poisson"), *net.populations[1:]))
    random = replace(random, connections=(replace(net.connections[0], on_host=False), *net.connections[1:]))
    with pytest.raises(UnsupportedLayer, match=r"input: SANA-FE takes no spikes .*; convert with input_coding=\"rate\""):
        simulate_chip(random, X, place(random))
    silent = replace(net, populations=(*net.populations[:2], replace(net["b"], silent=2), net.readout))  # type: ignore[arg-type]
    with pytest.raises(UnsupportedLayer, match="b: SANA-FE's Loihi has no such neurons"):
        simulate_chip(silent, X, place(net))
    large = replace(mobilenet(), fixed_point=True)
    with pytest.raises(LimitExceeded, match=r"the network takes 1\d\d cores on 2 chips; SANA-FE's Loihi is one chip"):
        simulate_chip(large, X, place(large, "nahuku32"))
    dense = replace(chain((10,), Dense(ones(2000, 10)), Dense(ones(1001, 2000)), Dense(ones(2, 1001))), fixed_point=True)
    board = place(net, "nahuku8").board.model_copy(update={"synapse_memory_words": Limit(value=10**6, source="a test")})
    with pytest.raises(LimitExceeded, match=rf"some 2,004,002 synapses; at most {MOST_SYNAPSES:,}"):
        simulate_chip(dense, X, place(dense, board))
    monkeypatch.setitem(sys.modules, "sanafe", None)
    with pytest.raises(BackendUnavailable, match=r"sanafe: SANA-FE cannot be used: .*; pip install sanafe"):
        simulate_chip(net, X, place(net))
