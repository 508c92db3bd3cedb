"""Samples, payloads by hand and exactly, and Poisson input: rates are payloads, and each sample has spikes of its own."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

import loihiconv as lc
from loihiconv.core import input_coding
from loihiconv.core.errors import InvalidData
from loihiconv.core.fixed_point import BIAS_MAX
from loihiconv.core.input_coding import (
    check_samples,
    host_sums,
    input_payloads,
    input_values,
    lowest_current,
    payloads,
    poisson_spikes,
)
from loihiconv.core.linear import Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout
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


def test_payloads_by_hand() -> None:
    """Units of 0.5: halves go to even, and what is beyond the range is clipped, as are values below 0 where nothing has a sign."""
    x = np.array([[0.24, 0.25, 0.75, 1.24, 3.5, 9, -0.76, -9]])
    unsigned = Input("input", (8,), scale=3.5, payload_max=7)
    assert payloads(unsigned, x).tolist() == [[0, 0, 2, 2, 7, 7, 0, 0]]
    assert payloads(replace(unsigned, signed=True), x).tolist() == [[0, 0, 2, 2, 7, 7, -2, -7]]
    assert payloads(replace(unsigned, payload_max=0), x).tolist() == [(x[0].astype(np.float32) / np.float32(3.5)).tolist()]


@pytest.mark.parametrize("scale", [0.3, 0.37, 1.9, 255.0])
def test_payloads_are_nearest_in_exact_arithmetic(scale: float) -> None:
    """Of the float32 samples that lie closest to where rounding turns, with any version of numpy."""
    population = Input("input", (255,), scale=scale, payload_max=255)
    x = (np.float32((np.arange(255) + 0.5) * scale / 255)).reshape(1, -1)
    exact = [Fraction(float(value)) * 255 / Fraction(scale) for value in x[0]]
    errors = [abs(payload - value) for payload, value in zip(payloads(population, x)[0].tolist(), exact, strict=True)]
    assert max(errors) <= Fraction(1, 2) + Fraction(1, 10**12)


def test_a_bias_plane_always_sends_the_largest_payload() -> None:
    population = Input("input", (2, 1, 2), payload_max=7, bias_plane=True)
    assert payloads(population, np.zeros((1, 1, 1, 2))).tolist() == [[[[0, 0]], [[7, 7]]]]
    assert payloads(replace(population, payload_max=0), np.zeros((1, 1, 1, 2))).tolist() == [[[[0, 0]], [[1, 1]]]]


@pytest.mark.parametrize("payload_max", [0, 4])
def test_a_word_below_the_payloads_share_is_a_spike(payload_max: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of all 2^32 words fires at a payload of a quarter, and none at 0."""
    monkeypatch.setattr(input_coding, "words", lambda *_, **__: np.array([[2**30 - 1, 2**30, 0]], np.uint32))
    quarter = 1 if payload_max else 0.25
    population = Input("input", (3,), "poisson", payload_max=payload_max)
    assert poisson_spikes(population, np.array([quarter, quarter, 0]), 0, begin=0, steps=1).tolist() == [[True, False, False]]


def test_sums_of_the_host_add_up_over_connections_and_the_bias() -> None:
    bias = np.array([5, -5], np.int32)
    populations = (Input("input", (2,), payload_max=7), Readout("readout", (2,), np.zeros(1, np.int32), bias))
    maps = (Dense(np.array([[1, 2], [3, 4]], np.int32)), Dense(np.array([[100, 0], [0, 100]], np.int32)))
    connections = tuple(Connection("input", "readout", m, on_host=True, weight_exp=e) for m, e in zip(maps, (2, -1), strict=True))
    network = Network(populations, connections, 4, fixed_point=True)
    assert host_sums(network, {"input": np.array([[1, 3]])}) == {"readout": pytest.approx(np.array([[4 * 7 + 50 + 5, 4 * 15 + 150 - 5]]))}


def network(*inputs: Input) -> Network:
    """The first input's values are the outputs."""
    size = inputs[0].size
    readout = Readout("readout", (size,), np.zeros(1), np.zeros(1))
    return Network((*inputs, readout), (Connection(inputs[0].name, "readout", Dense(np.eye(size))),), 4)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 1, 3)), r"input: shape \(2, 1, 3\) has an axis too many; \(N, 3\) expected"),
        (np.zeros((2, 2, 3)), r"input: samples of shape \(2, 3\); \(3\) expected, channels first"),
        (np.zeros(3), r"input: samples of shape \(\); .* of one sample alone give x\[None\]"),
        (np.zeros((0, 3)), "input: no samples; at least 1 expected"),
        (np.array([["a", "b", "c"]]), "input: samples of type <U1; numbers expected"),
        (np.array([[0, np.nan, 0]]), "input: samples hold NaN or infinity"),
    ],
)
def test_samples_that_are_none(x: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidData, match=message):
        check_samples(network(Input("input", (3,))), x)


TWO = network(Input("image", (1, 2, 2)), Input("vector", (3,)))
IMAGE, VECTOR = np.arange(8.0).reshape(2, 1, 2, 2), np.arange(6).reshape(2, 3)


def test_samples_of_several_inputs_are_packed() -> None:
    expected = [[0, 1, 2, 3, 0, 1, 2], [4, 5, 6, 7, 3, 4, 5]]
    for x in ({"vector": VECTOR, "image": IMAGE}, (IMAGE, VECTOR), [IMAGE.tolist(), torch.from_numpy(VECTOR)]):
        found = check_samples(TWO, x)
        assert (found.dtype, found.tolist()) == (np.float32, expected)
        assert check_samples(TWO, found) is found
    assert input_values(TWO, found)["image"].tolist() == IMAGE.tolist()
    assert input_payloads(TWO, found)["vector"].tolist() == VECTOR.tolist()
    assert check_samples(network(Input("x", (3,))), {"x": VECTOR}) is VECTOR


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (IMAGE, r"one array of shape \(2, 1, 2, 2\) for 2 inputs \(image, vector\); give a dict"),
        ({"image": IMAGE}, "input: no samples for vector"),
        ({"image": IMAGE, "vectr": VECTOR}, "input: samples for 'vectr', did you mean 'vector'"),
        ((IMAGE, VECTOR, VECTOR), "input: 3 arrays for 2 inputs"),
        ((IMAGE, VECTOR[:1]), r"input: other numbers of samples \(image 2, vector 1\)"),
        ((IMAGE, VECTOR[:, :2]), r"input vector: samples of shape \(2\); \(3\) expected"),
        ((IMAGE, np.array([["a", "b", "c"]] * 2)), "input vector: samples of type <U1"),
        ((IMAGE, [[1], [2, 3]]), "input vector: samples that make no array"),
        ((IMAGE, VECTOR * np.inf), "input: samples hold NaN or infinity"),
        ((IMAGE[:0], VECTOR[:0]), "input: no samples"),
        (5, "input: 5 for 2 inputs"),
    ],
)
def test_samples_of_several_inputs_that_are_none(x: Any, message: str) -> None:
    with np.errstate(invalid="ignore"), pytest.raises(InvalidData, match=message):
        check_samples(TWO, x)


def inhibited(timesteps: int, *, start: int = 32, sent: bool = False, vth: int = 1, own: int = 0) -> Network:
    """Two neurons that the host drives by 1000 x payload; with ``sent`` spikes of another population reach them as well."""
    hidden = IF("hidden", (2,), vth, np.array([start], np.int32), np.array([own], np.int32))
    other = IF("other", (2,), 9, np.zeros(1, np.int32), np.zeros(1, np.int32))
    readout = Readout("readout", (2,), np.zeros(1, np.int32), np.zeros(1, np.int32))
    ones = Dense(np.eye(2, dtype=np.int32))
    connections = [Connection("input", "other", ones)] if sent else []
    connections += [Connection("other", "hidden", ones)] if sent else []
    connections += [
        Connection("input", "hidden", Dense(1000 * np.eye(2, dtype=np.int32)), on_host=True),
        Connection("hidden", "readout", ones),
    ]
    entry = Input("input", (2,), scale=255.0, payload_max=255, signed=True)
    return Network((entry, *([other] if sent else []), hidden, readout), tuple(connections), timesteps, fixed_point=True)


@pytest.mark.parametrize(
    ("network", "lowest"),
    [
        (inhibited(1), -BIAS_MAX),  # 8,388,606 is more than any bias
        (inhibited(100), -(2621 << 5)),  # floor(8,388,606 / 100) = 83,886 = 2621.4 x 2^5
        (inhibited(100, start=-606), -(2621 << 5)),
        (inhibited(2048), -4095),  # 4095.999
        (inhibited(2048, start=-(2**22)), -2047),
        (inhibited(100, start=64), None),  # at the threshold
        (inhibited(100, sent=True), None),
        (inhibited(100, vth=2, start=64), -(2621 << 5)),
    ],
)
def test_the_lowest_current_that_a_window_has_room_for(network: Network, lowest: int | None) -> None:
    assert lowest_current(network, "hidden") == lowest
    assert lowest_current(network, "readout") is None
    sums = host_sums(network, {"input": np.array([[-255, 80]])})["hidden"]
    assert sums.tolist() == [[max(-255_000, -(2**60) if lowest is None else lowest), 80_000]]


@pytest.mark.parametrize("timesteps", [40, 400])
def test_currents_that_are_cut_make_the_same_spikes(timesteps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every current from the largest negative one on, with and without: nothing saturates, no spike differs."""
    network, x = inhibited(timesteps, vth=3000, own=7), np.stack([np.arange(-255, 256), np.arange(-255, 256)[::-1]], axis=1) / 1.0
    assert [s for s in lc.run(network, x).saturated if s.below.any()] == []
    cut = lc.run(network, x, record=["spikes"]).spikes["hidden"]
    monkeypatch.setattr(input_coding, "lowest_current", lambda *_: None)
    with pytest.warns(UserWarning, match="hidden: hidden potentials"):
        np.testing.assert_array_equal(cut, lc.run(network, x, record=["spikes"]).spikes["hidden"])
