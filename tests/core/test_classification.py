"""Random streams, Poisson input and the spiking softmax."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.core.classification import decide, softmax_spikes
from loihiconv.core.input_coding import payloads, poisson_spikes
from loihiconv.core.linear import Dense
from loihiconv.core.network import Connection, Input, Network, Readout
from loihiconv.core.random_streams import INPUT, READOUT, words
from loihiconv.simulator import simulate


def readout(**changes: object) -> Readout:
    zero = np.zeros(1, np.int32)
    return replace(Readout("readout", (3,), zero, zero, decision="softmax", rate=1.0), **changes)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**40), st.integers(0, 500), st.integers(1, 9), st.integers(1, 40))
def test_words_do_not_depend_on_where_a_block_begins(seed: int, sample: int, begin: int, steps: int, size: int) -> None:
    whole = words(seed, INPUT, sample, begin=0, steps=begin + steps, size=size)
    np.testing.assert_array_equal(words(seed, INPUT, sample, begin=begin, steps=steps, size=size), whole[begin:])
    assert not np.array_equal(words(seed, READOUT, sample, begin=0, steps=8, size=8), words(seed, INPUT, sample, begin=0, steps=8, size=8))


def test_words_stay_what_they_are() -> None:
    """Saved networks promise the same spikes for ever: no version of numpy may change what is drawn."""
    assert [hex(w) for w in words(0, INPUT, 0, begin=0, steps=1, size=2)[0]] == ["0x8e4d89b", "0x2f4ba64"]


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


def test_softmax_wins_as_often_as_it_should() -> None:
    """Constant potentials 0, 1, 2 at scale 1: shares e^V / sum e^V; and the generator asks at a fifth of the steps."""
    course = np.tile(np.array([0.0, 1.0, 2.0]), (4, 20_000, 1))
    spikes = softmax_spikes(readout(rate=0.2), course)
    assert spikes.sum(axis=2).max() == 1
    assert spikes.any(axis=2).mean() == pytest.approx(0.2, abs=0.01)
    shares = spikes.sum(axis=(0, 1)) / spikes.sum()
    np.testing.assert_allclose(shares, np.exp([0, 1, 2]) / np.exp([0, 1, 2]).sum(), atol=0.02)
    np.testing.assert_array_equal(softmax_spikes(readout(rate=0.2), course[2:], first=2), spikes[2:])


def test_softmax_with_large_integers_takes_the_largest() -> None:
    course = np.tile(np.array([-(2**23) + 1, 2**23 - 1, 0], np.int32), (1, 8, 1))
    decided = decide(readout(), course[:, -1], course)
    assert decided.predictions.tolist() == [1]
    assert decided.output_spikes is not None
    assert decided.output_spikes.tolist() == [[0, 8, 0]]


def test_ties_go_to_the_larger_potential() -> None:
    course = np.array([[[0, 5, 5], [3, 4, 4]]])
    silent = decide(readout(rate=1e-12), course[:, -1], course)
    assert silent.output_spikes is not None
    assert silent.output_spikes.sum() == 0
    assert silent.predictions.tolist() == [1]
    assert decide(readout(decision="potential"), course[:, -1]).predictions.tolist() == [1]
