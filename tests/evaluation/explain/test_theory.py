"""Equations 5 to 8 of Rueckauer et al. 2016 against the simulator: exact, or they are no diagnosis."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.core.choices import Reset
from loihiconv.core.errors import InvalidData
from loihiconv.core.input_coding import host_currents, input_payloads
from loihiconv.core.linear import Array, Dense
from loihiconv.core.network import IF, V_MAX, Connection, Input, MaxPool, Network, Population, Readout
from loihiconv.evaluation.explain import theory
from loihiconv.simulator import simulate
from tests.strategies import Case, cases

RECORD = ["residuals"]


def dense_float(
    weights: list[Array], biases: list[Array], *, timesteps: int = 64, start: float = 0.0, reset: Reset = "subtract"
) -> Network:
    """Dense layers in float with threshold 1; the last one is the readout."""
    populations: list[Population] = [Input("input", (weights[0].shape[1],))]
    connections: list[Connection] = []
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        shape, b = (len(weight),), bias.astype(np.float32)
        last = i == len(weights) - 1
        name = "readout" if last else f"layer{i}"
        v_init = np.full(1, start, np.float32)
        populations.append(Readout(name, shape, np.zeros(1, np.float32), b) if last else IF(name, shape, 1.0, v_init, b, reset))
        connections.append(Connection(populations[-2].name, name, Dense(weight.astype(np.float32))))
    return Network(tuple(populations), tuple(connections), timesteps)


def grid(rng: np.random.Generator, low: float, high: float, shape: tuple[int, ...], step: int = 64) -> Array:
    """Multiples of 1/step, of which float32 makes no error."""
    return rng.integers(int(low * step), int(high * step) + 1, shape) / step


def test_equation_5_reset_to_zero_with_constant_current() -> None:
    """0.3, 0.6, 0.9, 1.2: a spike every n = 4 steps, 0.2 above the threshold each time, so 0.3 - 0.2 / 4 = 1/4."""
    network = dense_float([np.array([[0.3]]), np.eye(1)], [np.zeros(1), np.zeros(1)], reset="zero")
    recording = simulate(network, np.ones((1, 1)))
    rate = recording.spike_counts["layer0"][0, 0] / 64
    assert rate == 1 / 4
    assert theory.equation_5(np.array(0.3), np.array(0.2), np.array(4), 1.0) == pytest.approx(rate)


@pytest.mark.parametrize("start", [0.0, 0.5])
def test_equation_6_constant_current(start: float) -> None:
    """Exactly r = a - (V(T) - V(0)) / T, for any current up to one threshold per step."""
    a = np.arange(1, 65)[:, None] / 64
    network = dense_float([a, np.eye(64)], [np.zeros(64), np.zeros(64)], timesteps=37, start=start)
    recording = simulate(network, np.ones((1, 1)), record=RECORD)
    delta_v = theory.left_over(recording.residuals["layer0"], np.full(64, start), 1.0, 37)
    rates = recording.spike_counts["layer0"] / 37
    np.testing.assert_allclose(theory.equation_6(a.T, delta_v), rates, rtol=0, atol=1e-12)
    assert (np.abs(rates - a.T) <= 1 / 37).all()


def unsaturated(case: Case, network: Network, name: str) -> bool:
    """Whether no potential of this population can have reached the end of its 24 bits."""
    population = network[name]
    if isinstance(population, Input):
        return True
    if isinstance(population, MaxPool):
        return True
    payload = input_payloads(network, case.x)
    total = np.abs(host_currents(network, payload).get(name, population.bias)).max().astype(float)
    for connection in network.incoming(name):
        source = network[connection.source]
        if not connection.on_host:
            sent = source.largest_message
            size = connection.map.row_sums(np.abs(connection.map.weight.astype(float)))
            total += 64 * sent * size.max()
    # before a spike is taken away the potential may be one step above what was left
    return bool(np.abs(theory.start_potential(network, population)).max() + network.timesteps * total < V_MAX)


def integrated_rates(network: Network, x: Array, rates: dict[str, Array]) -> dict[str, Array]:
    """Of the steps that the readout integrates: what was sent in all, less what a run of the steps that it lets pass sends."""
    delay = network.readout.delay
    if not delay:
        return rates
    begun = replace(network, populations=(*network.populations[:-1], replace(network.readout, delay=0)), timesteps=delay)
    before = theory.recorded_rates(begun, simulate(begun, x, record=RECORD), x)
    spiking = [p.name for p in network.populations if p.spiking]
    return rates | {n: (rates[n] * network.timesteps - before[n] * delay) / network.readout_steps for n in spiking}


@settings(max_examples=150, deadline=None)
@given(cases(max_timesteps=4, exponents=False))
def test_equation_7_in_fixed_point(case: Case) -> None:
    """Any network, any depth, skips, host currents: rates are what the weights make of the rates before, minus ΔV."""
    network = case.network
    recording = simulate(network, case.x, record=RECORD)
    rates = theory.recorded_rates(network, recording, case.x)
    integrated = integrated_rates(network, case.x, rates)
    delta_v = theory.recorded_left_over(network, recording)
    for p in network.populations:
        readout = isinstance(p, Readout)
        balanced = readout or (p.name in delta_v and not (isinstance(p, IF) and p.reset == "zero"))
        if balanced and unsaturated(case, network, p.name):
            before = integrated if readout else rates
            expected = theory.equation_7(network, before, p.name, delta_v.get(p.name, np.zeros(1)), case.x)
            np.testing.assert_allclose(expected, rates[p.name], rtol=1e-12, atol=1e-9, err_msg=p.name)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.sampled_from((1, 5, 16)), st.sampled_from((0.0, 0.5, 1.0)))
def test_equation_7_in_float(seed: int, depth: int, timesteps: int, start: float) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 9, depth + 2)
    weights = [grid(rng, -1, 1, (n, m)) for m, n in pairwise(sizes)]
    network = dense_float(weights, [grid(rng, -0.5, 0.5, (len(w),)) for w in weights], timesteps=timesteps, start=start)
    x = grid(rng, 0, 1, (3, sizes[0]), 8)
    recording = simulate(network, x, record=RECORD)
    rates, delta_v = theory.recorded_rates(network, recording, x), theory.recorded_left_over(network, recording)
    for p in network.populations[1:]:
        expected = theory.equation_7(network, rates, p.name, delta_v.get(p.name, np.zeros(1)), x)
        np.testing.assert_allclose(expected, rates[p.name], rtol=0, atol=1e-12, err_msg=p.name)


def positive_network(seed: int, timesteps: int, start: float) -> tuple[Network, Array]:
    """Four layers whose every current is positive and below the threshold, so that nothing rectifies or saturates."""
    rng = np.random.default_rng(seed)
    sizes = (5, 6, 7, 4, 3)
    weights = [grid(rng, 0, 0.9 / m, (n, m), 512) for m, n in pairwise(sizes)]
    network = dense_float(weights, [grid(rng, 0.02, 0.1, (len(w),), 512) for w in weights], timesteps=timesteps, start=start)
    return network, grid(rng, 0, 1, (4, 5), 8)


@pytest.mark.parametrize(("timesteps", "start"), [(8, 0.0), (8, 0.5), (64, 0.5)])
def test_equation_8_explains_the_whole_error(timesteps: int, start: float) -> None:
    network, x = positive_network(3, timesteps, start)
    recording = simulate(network, x, record=RECORD)
    analog, rates = theory.analog_rates(network, x), theory.recorded_rates(network, recording, x)
    delta_v = theory.recorded_left_over(network, recording)
    for errors in (theory.equation_8(network, delta_v), theory.equation_8(network, delta_v, rates, x)):
        for p in network.populations[1:]:
            np.testing.assert_allclose(errors[p.name], analog[p.name] - rates[p.name], rtol=0, atol=1e-12, err_msg=p.name)
            assert np.abs(errors[p.name]).max() > 1e-3


def test_analog_rates_are_the_float_network() -> None:
    network, x = positive_network(0, 1, 0.0)
    shifted = replace(
        network, populations=tuple(replace(p, bias=p.bias - 0.25) if isinstance(p, IF) else p for p in network.populations)
    )  # so that some neurons are silent
    a = x
    for c in shifted.connections:
        target = shifted[c.target]
        a = a @ c.map.weight.T.astype(np.float64) + target.bias  # type: ignore[union-attr]
        a = np.maximum(a, 0) if isinstance(target, IF) else a
        np.testing.assert_allclose(theory.analog_rates(shifted, x)[c.target], a, atol=1e-12)


def test_says_what_the_recording_lacks() -> None:
    network, x = positive_network(0, 4, 0.5)
    with pytest.raises(InvalidData, match="layer0: the recording has no final potentials"):
        theory.recorded_left_over(network, simulate(network, x))
    with pytest.raises(InvalidData, match="layer0: the recording has no spike counts"):
        theory.recorded_rates(network, simulate(network, x, counts=False), x)
