"""Spike for spike against snntoolbox's INIsim, the simulator of the paper's authors; ``tests/fixtures/make_inisim.py`` recorded it.

INIsim passes spikes on within the same step, layer by layer, as our windows aligned to the wavefront do, starts at
potential 0 and fires at ``v >= 1``; ours fires at ``v > 1``. All its potentials are multiples of a grid g = 1/512, so
``v >= 1`` is the same as ``v + g/2 > 1``: a start potential of half a grid step makes the two rules agree, and every
potential stays that half step above INIsim's. In integers the same is a start potential of 1 below the shift of 6. After
a reset to zero the half step is gone; there the threshold is lowered by it instead.

Max-pooling is the one thing that both do in their own way: where two units have sent as many spikes, INIsim passes the
first in row-major order on and ours whoever held the maximum before. `inisim_gate` states INIsim's rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loihiconv.core.choices import Reset
from loihiconv.core.linear import Array, Conv, Dense, LinearMap
from loihiconv.core.network import IF, Connection, Input, MaxPool, Network, Population, Readout
from loihiconv.simulator import simulate

WEIGHT_GRID, INPUT_GRID = 64, 8
HALF_STEP = 1 / (2 * WEIGHT_GRID * INPUT_GRID)
GEOMETRY: tuple[dict[str, Any], ...] = ({"padding": (1, 1, 1, 1)}, {"stride": (2, 2)}, {}, {})
LAYERS = ("layer0", "layer1", "layer2", "layer3")


@dataclass(frozen=True)
class Fixture:
    """What INIsim gave for one network and reset: weights as integers, spikes and final potentials per layer."""

    x: Array
    timesteps: int
    weights: list[Array]
    biases: list[Array]
    spikes: list[Array]
    v: list[Array]


def load(name: str, reset: Reset) -> Fixture:
    with np.load(Path(__file__).parents[1] / "fixtures/inisim.npz", allow_pickle=False) as file:
        numbers = range(len([key for key in file if key.startswith(f"{name}/weight")]))
        layers = range(len([key for key in file if key.startswith(f"{name}/{reset}/") and key.endswith("/v")]))
        shapes = [tuple(file[f"{name}/{reset}/{i}/shape"]) for i in layers]
        bits = [np.unpackbits(file[f"{name}/{reset}/{i}/spikes"], count=int(np.prod(s))) for i, s in zip(layers, shapes, strict=True)]
        return Fixture(
            file["x"].astype(np.float32),
            int(file["timesteps"]),
            [file[f"{name}/weight{i}"].astype(np.int32) for i in numbers],
            [file[f"{name}/bias{i}"].astype(np.int32) for i in numbers],
            [b.astype(bool).reshape(s) for b, s in zip(bits, shapes, strict=True)],
            [file[f"{name}/{reset}/{i}/v"] for i in layers],
        )


def network(fixture: Fixture, reset: Reset, *, fixed_point: bool, half_step: bool = True, layers: int = 4) -> Network:
    """The first layers as ours: in float with threshold 1, or in integers, with weights doubled as the chip wants them even."""
    number = np.int32 if fixed_point else np.float32
    populations: list[Population] = [Input("input", fixture.x.shape[1:], scale=INPUT_GRID, payload_max=INPUT_GRID if fixed_point else 0)]
    connections: list[Connection] = []
    for i, name in enumerate(LAYERS[:layers]):
        weight, shape = fixture.weights[i], fixture.spikes[i].shape[2:]
        unit = 2 * WEIGHT_GRID * (INPUT_GRID if i == 0 else 1) * 64  # one threshold, in units of v
        bias = fixture.biases[i].reshape(-1, *(1,) * (len(shape) - 1)) / WEIGHT_GRID
        start = 0.0 if reset == "zero" or not half_step else (1 if fixed_point else HALF_STEP)
        vth = 1 - HALF_STEP if reset == "zero" and half_step else 1.0
        scaled = 2 * weight if fixed_point else (weight / WEIGHT_GRID).astype(np.float32)
        linear: LinearMap = Conv(scaled, **GEOMETRY[i]) if weight.ndim == 4 else Dense(scaled)
        values = bias * unit if fixed_point else bias
        populations.append(IF(name, shape, unit / 64 if fixed_point else vth, np.full(1, start, number), values.astype(number), reset))
        connections.append(Connection(populations[-2].name, name, linear))
    zero = np.zeros(1, number)
    size = prod(populations[-1].shape)
    populations.append(Readout("readout", (size,), zero, zero))
    connections.append(Connection(populations[-2].name, "readout", Dense(np.eye(size, dtype=number))))
    return Network(tuple(populations), tuple(connections), fixture.timesteps, fixed_point=fixed_point)


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_float_spikes_and_potentials_equal_inisim(reset: Reset) -> None:
    fixture = load("plain", reset)
    recording = simulate(network(fixture, reset, fixed_point=False), fixture.x, record=["spikes", "residuals"])
    for name, spikes, v in zip(LAYERS, fixture.spikes, fixture.v, strict=True):
        assert 0.02 < spikes.mean() < 0.98
        np.testing.assert_array_equal(recording.spikes[name], spikes, err_msg=name)
        np.testing.assert_array_equal(recording.residuals[name] - (HALF_STEP if reset == "subtract" else 0), v, err_msg=name)


def test_integer_spikes_equal_inisim() -> None:
    fixture = load("plain", "subtract")
    recording = simulate(network(fixture, "subtract", fixed_point=True), fixture.x, record=["spikes"])
    for name, spikes in zip(LAYERS, fixture.spikes, strict=True):
        np.testing.assert_array_equal(recording.spikes[name], spikes, err_msg=name)


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_the_half_step_is_needed(reset: Reset) -> None:
    """The fixture holds ties: started at 0, the strict rule fires later than INIsim in every layer."""
    fixture = load("plain", reset)
    recording = simulate(network(fixture, reset, fixed_point=False, half_step=False), fixture.x, record=["spikes"])
    for name, spikes in zip(LAYERS, fixture.spikes, strict=True):
        assert (recording.spikes[name] != spikes).any(), name


def inisim_gate(spikes: Array) -> Array:
    """INIsim's max-pooling 2x2 of spikes (N, T, C, H, W): the first of the units with most spikes, this step's included, passes."""
    windows = np.lib.stride_tricks.sliding_window_view(spikes, (2, 2), axis=(3, 4))[:, :, :, ::2, ::2].reshape(*spikes.shape[:3], 3, 3, 4)
    busiest = np.cumsum(windows, axis=1).argmax(axis=-1)
    return np.asarray(np.take_along_axis(windows, busiest[..., None], axis=-1)[..., 0])


def test_max_pooling_differs_from_inisim_in_ties_only() -> None:
    """Ours passes as many spikes as the busiest unit sent; INIsim's rule, which can pass more, gives its recorded spikes."""
    fixture = load("pool", "subtract")
    ones = Conv(np.ones((4, 1, 2, 2), np.float32), stride=(2, 2), groups=4)
    zero = np.zeros(1, np.float32)
    first = network(fixture, "subtract", fixed_point=False, layers=1)
    populations = (*first.populations[:2], MaxPool("pool", (4, 3, 3)), Readout("readout", (36,), zero, zero))
    connections = (
        first.connections[0],
        Connection("layer0", "pool", ones),
        Connection("pool", "readout", Dense(np.eye(36, dtype=np.float32))),
    )
    recording = simulate(Network(populations, connections, fixture.timesteps), fixture.x, record=["spikes"])
    np.testing.assert_array_equal(recording.spikes["layer0"], fixture.spikes[0])
    np.testing.assert_array_equal(inisim_gate(recording.spikes["layer0"]), fixture.spikes[1])
    sent = recording.spike_counts["layer0"].reshape(-1, 4, 3, 2, 3, 2).max(axis=(3, 5))
    np.testing.assert_array_equal(recording.spike_counts["pool"], sent)
    passed = fixture.spikes[1].sum(axis=1)
    assert (passed >= sent).all()
    assert (passed > sent).any()
