"""The simulator against an independent, naive one, and its own promises: any batch, any cut, any record."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from loihiconv.core.errors import InvalidData, InvalidSetting, LimitExceeded
from loihiconv.core.linear import Dense
from loihiconv.core.network import IF, Connection, Input, MaxPool, Network, Readout
from loihiconv.simulator import memory, simulate
from tests import naive
from tests.strategies import Case, cases


def dense_network(weight: list[list[float]], *, timesteps: int = 8, vth: int = 10, payload_max: int = 1, dtype: type = np.int32) -> Network:
    """Input, one dense layer, and a readout that counts its spikes."""
    hidden = len(weight)
    zero = np.zeros(1, dtype)
    populations = (
        Input("input", (len(weight[0]),), payload_max=payload_max),
        IF("hidden", (hidden,), vth, zero, zero),
        Readout("readout", (hidden,), zero, zero),
    )
    maps = (Dense(np.asarray(weight, dtype)), Dense(np.eye(hidden).astype(dtype)))
    connections = (Connection("input", "hidden", maps[0]), Connection("hidden", "readout", maps[1]))
    return Network(populations, connections, timesteps, fixed_point=dtype is np.int32)


@settings(max_examples=150, deadline=None)
@given(cases(max_timesteps=12, several=True, separated=True, signed=True))
def test_equals_the_naive_simulator(case: Case) -> None:
    expected = naive.simulate(case.network, case.x)
    recording = simulate(case.network, case.x, record=["spikes", "potentials"])
    naive.check_spikes(recording, expected)
    np.testing.assert_array_equal(recording.potentials_over_time, expected.potentials_over_time)
    np.testing.assert_array_equal(recording.potentials, expected.potentials)
    np.testing.assert_array_equal(recording.output_spikes, expected.output_spikes)
    np.testing.assert_array_equal(recording.predictions, expected.predictions)
    assert recording.synaptic_operations == pytest.approx(expected.synaptic_operations)


@settings(max_examples=50, deadline=None)
@given(cases(max_timesteps=10, separated=True, signed=True))
def test_float_simulator_on_integers_is_the_emulator(case: Case) -> None:
    """Float with integers in it, scaled by 2^6 as the chip does, fires the same spikes; until float32 or v saturate."""
    source = case.network.input
    if not source.spiking and not any(c.on_host for c in case.network.connections):
        populations = tuple(
            replace(p, vth=p.vth * 64.0, v_init=p.v_init.astype(np.float32), bias=p.bias.astype(np.float32))
            if isinstance(p, IF)
            else replace(p, v_init=p.v_init.astype(np.float32), bias=p.bias.astype(np.float32))
            if isinstance(p, Readout)
            else replace(p, payload_max=0, scale=1.0)
            if isinstance(p, Input)
            else p
            for p in case.network.populations
        )
        connections = tuple(
            c if isinstance(case.network[c.target], MaxPool) else replace(c, map=c.map.with_weight((c.map.weight * 64).astype(np.float32)))
            for c in case.network.connections
        )
        as_float = Network(populations, connections, case.network.timesteps)
        x = np.clip(np.rint(case.x), -source.payload_max if source.signed else 0, source.payload_max)
        expected = naive.simulate(as_float, x)
        if np.abs(expected.potentials_over_time).max() < 2**23:
            recording = simulate(as_float, x, record=["spikes"])
            for name, spikes in expected.spikes.items():
                np.testing.assert_array_equal(recording.spikes[name], spikes)


@settings(max_examples=25, deadline=None)
@given(cases(max_timesteps=9, separated=True, signed=True))
def test_neither_chunks_nor_blocks_of_time_show(case: Case) -> None:
    whole = simulate(case.network, case.x, record=["spikes", "potentials"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "plan", lambda net, *_, **__: memory.Blocks(2, net.timesteps if net.silent_steps else 4))
        patch.setattr(memory, "BLOCK_BYTES", 1)
        cut = simulate(case.network, case.x, record=["spikes", "potentials"])
    np.testing.assert_array_equal(cut.potentials_over_time, whole.potentials_over_time)
    for name in whole.spikes:
        np.testing.assert_array_equal(cut.spikes[name], whole.spikes[name])
        np.testing.assert_array_equal(cut.spike_counts[name], whole.spike_counts[name])
        np.testing.assert_array_equal(cut.sent(name), whole.sent(name))
    assert cut.firing_rates == whole.firing_rates


def test_threshold_is_strict_and_reset_subtracts() -> None:
    # 7, 14 > 10 spikes and leaves 4, 11 spikes and leaves 1, 8, 15 spikes and leaves 5, 12, 2, 9
    network = dense_network([[7]])
    recording = simulate(network, np.ones((1, 1)), record=["spikes"])
    np.testing.assert_array_equal(recording.spikes["hidden"][0, :, 0], [0, 1, 1, 0, 1, 1, 0, 1][:8])
    exact = simulate(dense_network([[10]]), np.ones((1, 1)), record=["spikes"])
    np.testing.assert_array_equal(exact.spikes["hidden"][0, :, 0], [0, 1, 1, 1, 1, 1, 1, 1])


def test_rate_follows_equation_6() -> None:
    """Constant input a: rate = a - V(T) / T for threshold 1 (Rueckauer et al. 2016, Eq. 6)."""
    network = dense_network([[0.37], [0.5], [0.93]], timesteps=50, vth=1, dtype=np.float32, payload_max=0)
    recording = simulate(network, np.ones((1, 1), np.float32), record=["spikes"])
    rates = recording.spike_counts["hidden"][0] / 50
    a = np.array([0.37, 0.5, 0.93])
    left_over = 50 * a - recording.spike_counts["hidden"][0]
    np.testing.assert_allclose(rates, a - left_over / 50, atol=1e-6)
    assert ((left_over >= 0) & (left_over <= 1 + 1e-4)).all()


def test_memory_without_counts_and_progress() -> None:
    network = dense_network([[7, 1], [2, 3]])
    seen: list[tuple[int, int]] = []
    recording = simulate(network, np.ones((5, 2)), counts=False, progress=lambda done, total: seen.append((done, total)))
    assert not recording.spike_counts
    assert recording.firing_rate > 0
    assert seen[-1] == (5, 5)


def test_refuses_what_it_cannot_run() -> None:
    network = dense_network([[7, 1]])
    with pytest.raises(InvalidSetting, match="cannot record 'voltage'"):
        simulate(network, np.ones((1, 2)), record=["voltage"])
    with pytest.raises(InvalidData, match=r"samples of shape \(3\); \(2\) expected"):
        simulate(network, np.ones((1, 3)))
    with pytest.raises(InvalidData, match="NaN"):
        simulate(network, np.full((1, 2), np.nan))
    with pytest.raises(InvalidData, match="no samples"):
        simulate(network, np.ones((0, 2)))
    with pytest.raises(LimitExceeded, match="2\\^24"):
        simulate(dense_network([[2**20, 2**20]], payload_max=255), np.ones((1, 2)))


def test_leaves_the_number_of_threads_alone() -> None:
    before = torch.get_num_threads()
    simulate(dense_network([[7]]), np.ones((10, 1)))
    assert torch.get_num_threads() == before
