"""Every error is taken apart without a remainder, and each cause is recognised where it acts alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings

from loihiconv.core.choices import Reset
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, Connection, Input, MaxPool, Network, Readout
from loihiconv.evaluation.explain.attribution import PARTS, attribute, split
from loihiconv.simulator import simulate
from tests.evaluation.explain.test_theory import RECORD, dense_float, grid, positive_network
from tests.strategies import Case, cases


def single(current: float, *, timesteps: int = 16, start: float = 0.5, reset: Reset = "subtract") -> dict[str, float]:
    """Parts of the error of one neuron that a constant current drives."""
    network = dense_float([np.array([[current]]), np.eye(1)], [np.zeros(1), np.zeros(1)], timesteps=timesteps, start=start, reset=reset)
    x = np.ones((1, 1))
    parts = split(network, simulate(network, x, record=RECORD), x)["layer0"].parts
    return {part: values.item() for part, values in parts.items()}


@settings(max_examples=100, deadline=None)
@given(cases(max_timesteps=9, separated=True))
def test_parts_sum_to_the_error(case: Case) -> None:
    recording = simulate(case.network, case.x, record=RECORD)
    for name, layer in split(case.network, recording, case.x).items():
        assert set(layer.parts) == set(PARTS)
        error = layer.activation - layer.rate
        scale = 1 + np.abs(error).max() + max(np.abs(part).max() for part in layer.parts.values())
        np.testing.assert_allclose(sum(layer.parts.values()), error, rtol=0, atol=1e-9 * scale, err_msg=name)
    for result in attribute(case.network, recording, case.x):
        if result.rms:
            assert sum(result.share.values()) == pytest.approx(1, abs=1e-6)


def test_a_slow_neuron_leaves_charge_over() -> None:
    # 16 steps of 0.28125 from 0.5: 5 at the end, a strict threshold fires 4 and leaves 1.0, 0.5 more than at the start
    parts = single(0.28125)
    assert parts == {part: 0.5 / 16 if part == "left_over" else 0.0 for part in PARTS}


def test_a_fast_neuron_saturates() -> None:
    parts = single(1.25)
    assert parts == {part: 0.25 if part == "saturation" else 0.0 for part in PARTS}


def test_what_the_function_cuts_off_is_no_saturation() -> None:
    """A current of 1.25: beyond a bound of 1 nothing is missing, and with one of 1.125 half of what is above 1."""
    network, x = dense_float([np.array([[1.25]]), np.eye(1)], [np.zeros(1), np.zeros(1)], timesteps=16, start=0.5), np.ones((1, 1))
    for bound in (1.0, 1.125):
        population = network.populations[1]
        assert isinstance(population, IF)
        bounded = replace(population, bound=np.array([bound]))
        net = replace(network, populations=(network.populations[0], bounded, network.populations[2]))
        layer = split(net, simulate(net, x, record=RECORD), x)["layer0"]
        assert layer.activation.item() == bound
        assert {part: values.item() for part, values in layer.parts.items() if values.item()} == (
            {"saturation": 0.125} if bound > 1 else {}
        )


def test_a_reset_to_zero_discards() -> None:
    # 0.375 0.75 1.125: a spike every third step throws 0.125 away; 5 spikes, and 0.375 is left over
    parts = single(0.375, start=0.0, reset="zero")
    assert parts == {part: {"discarded": 5 * 0.125 / 16, "left_over": 0.375 / 16}.get(part, 0.0) for part in PARTS}


def test_a_silent_neuron_makes_no_error() -> None:
    assert single(-0.75) == dict.fromkeys(PARTS, 0.0)


def test_early_spikes_are_a_transient() -> None:
    """Excitation of rate 1/2 leads, stronger but slower inhibition follows: mean drive below 0, and yet a spike."""
    network = dense_float(
        [np.array([[0.5], [0.25]]), np.array([[1.5, -4.0]]), np.eye(1)], [np.zeros(2), np.zeros(1), np.zeros(1)], timesteps=16, start=0.0
    )
    x = np.ones((1, 1))
    layer = split(network, simulate(network, x, record=RECORD), x)["layer1"]
    assert layer.activation.item() == 0
    assert layer.rate.item() > 0
    assert layer.parts["transient"].item() == -layer.rate.item()


def test_shares_and_units() -> None:
    network, x = positive_network(1, 16, 0.5)
    scaled = replace(network, populations=(*network.populations[:-1], replace(network.readout, scale=4.0)))
    results = attribute(scaled, simulate(scaled, x, record=RECORD), x)
    first, last = results[0], results[-1]
    assert first.share["left_over"] == pytest.approx(1)
    assert [r.left_over_of_all_layers for r in results] == pytest.approx([1.0] * len(results))
    assert first.unit == "spikes per step"
    assert last.unit == "outputs of the float network"
    assert last.share["propagated"] == pytest.approx(1)
    for result in results:
        assert sum(result.bias.values()) == pytest.approx(result.activation - result.rate)
    unscaled = attribute(network, simulate(network, x, record=RECORD), x)[-1]
    assert last.rms == pytest.approx(unscaled.rms / 4)


def test_gates_that_count_only_pass_errors_on() -> None:
    """A gate sends exactly as many spikes as the busiest unit of its window, so no error is its own."""
    rng = np.random.default_rng(0)
    conv = Conv(grid(rng, -0.5, 0.5, (3, 2, 3, 3)).astype(np.float32), padding=(1, 1, 1, 1))
    windows = Conv(np.ones((3, 1, 3, 3), np.float32), stride=(2, 2), padding=(1, 0, 1, 0), groups=3)
    zero = np.zeros(1, np.float32)
    populations = (
        Input("input", (2, 6, 6)),
        IF("conv", (3, 6, 6), 1.0, np.full(1, 0.5, np.float32), zero),
        MaxPool("pool", (3, 3, 3)),
        Readout("readout", (4,), zero, zero),
    )
    maps = (conv, windows, Dense(grid(rng, -1, 1, (4, 27)).astype(np.float32)))
    connections = tuple(Connection(a.name, b.name, m) for (a, b), m in zip(pairwise(populations), maps, strict=True))
    network, x = Network(populations, connections, 23), grid(rng, 0, 1, (3, 2, 6, 6), 8)
    layers = split(network, simulate(network, x, record=RECORD), x)
    padded = np.pad(layers["conv"].activation, ((0, 0), (0, 0), (1, 0), (1, 0)))
    expected = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))[:, :, ::2, ::2].max(axis=(-1, -2))
    np.testing.assert_array_equal(layers["pool"].activation, expected)
    pool = layers["pool"]
    for part in PARTS:
        np.testing.assert_array_equal(pool.parts[part], pool.activation - pool.rate if part == "propagated" else 0)
    for n, c, i, j in np.ndindex(pool.rate.shape):
        window = (n, c, slice(max(2 * i - 1, 0), 2 * i + 2), slice(max(2 * j - 1, 0), 2 * j + 2))
        busiest = layers["conv"].rate[window].argmax()
        if layers["conv"].rate[window].max() > 0:
            assert pool.left_over_of_all_layers[n, c, i, j] == layers["conv"].left_over_of_all_layers[window].flat[busiest]
