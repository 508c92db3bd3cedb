"""Poisson input: rates are payloads, and each sample has spikes of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihiconv.core.input_coding import payloads, poisson_spikes
from loihiconv.core.linear import Dense
from loihiconv.core.network import Connection, Input, Network, Readout
from loihiconv.simulator import simulate


def test_poisson_rates_are_payloads() -> None:
    population = Input("input", (50,), "poisson", scale=2.0, payload_max=255, seed=7)
    x = np.linspace(0, 2, 50)[None]
    payload = payloads(population, x)
    spikes = poisson_spikes(population, payload[0], 3, begin=0, steps=20_000)
    np.testing.assert_allclose(spikes.mean(axis=0), payload[0] / 255, atol=5 * 0.5 / np.sqrt(20_000))
    assert not spikes[:, 0].any()
    assert spikes[:, -1].all()
    in_float = replace(population, payload_max=0, scale=255.0)
    np.testing.assert_array_equal(poisson_spikes(in_float, payload[0] / np.float32(255), 3, begin=0, steps=500), spikes[:500])
    assert (poisson_spikes(replace(population, seed=8), payload[0], 3, begin=0, steps=500) != spikes[:500]).any()


def test_each_sample_has_spikes_of_its_own_wherever_it_is_cut() -> None:
    zero = np.zeros(1, np.float32)
    populations = (Input("input", (20,), "poisson", seed=1), Readout("readout", (2,), zero, zero, decision="softmax"))
    network = Network(populations, (Connection("input", "readout", Dense(np.ones((2, 20), np.float32))),), 30)
    x = np.full((5, 20), 0.5, np.float32)
    whole = simulate(network, x, record=["spikes"])
    assert (whole.spikes["input"][0] != whole.spikes["input"][1]).any()
    np.testing.assert_array_equal(simulate(network, x[:2], record=["spikes"]).spikes["input"], whole.spikes["input"][:2])
    again = simulate(network, x, memory=1)
    np.testing.assert_array_equal(again.output_spikes, whole.output_spikes)
    np.testing.assert_array_equal(again.spike_counts["input"], whole.spike_counts["input"])
