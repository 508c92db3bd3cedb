"""Certificates: what they say, on what samples, and which layer is the first that differs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

import loihiconv as lc
from loihiconv.core.errors import InvalidSetting, UnsupportedLayer
from loihiconv.core.linear import Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout
from loihiconv.evaluation import certificate as certificates
from loihiconv.evaluation.certificate import Certificate, certify
from tests.evaluation.good import changed, converted, data, hidden
from tests.strategies import Case, cases, separated


@settings(max_examples=20, deadline=None)
@given(cases(max_timesteps=9, several=True, separated=True))
def test_the_emulator_is_the_quantized_ann_up_to_where_spikes_matter(case: Case) -> None:
    whole = certify(separated(case.network), case.x)
    assert whole.holds or any(layer.saturated for layer in whole.layers)
    if whole.universal:
        assert whole.holds
        assert not any(layer.saturated for layer in whole.layers)
    try:
        found = certify(case.network, case.x)
    except UnsupportedLayer:
        return
    first = found.first_difference
    if first is not None:
        before = found.layers[: found.layers.index(first) + 1]
        assert not all(layer.reason for layer in before) or any(layer.saturated for layer in before)


@pytest.fixture(scope="module")
def net() -> Network:
    return converted(timesteps=4, silent_steps=4)


def test_all_steps_silent_are_certified(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    x = data()[2]
    found = certify(net, x, samples=40)
    assert found.holds
    assert found.statement.startswith("✓ Certified: the emulator equals the quantized ANN, 0 differences in ")
    assert "on 40 samples" in found.statement
    neurons = sum(p.size for p in net.populations if p.spiking or p is net.readout)
    assert found.integers == 40 * neurons == sum(layer.integers for layer in found.layers)
    assert found.to_json()["first_difference"] is None
    assert found.statement in found.summary()
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(certificates, "CHUNK_BYTES", 1)
    again = certify(net, x, samples=3, progress=lambda stage, done, total: seen.append((done, total)))
    assert again.samples == 3
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_random_input_is_drawn_alike_in_every_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    poisson = converted(timesteps=4, silent_steps=4, input_coding="poisson")
    monkeypatch.setattr(certificates, "CHUNK_BYTES", 1)
    assert certify(poisson, data()[2], samples=4).holds


def test_where_spikes_matter_the_first_layer_that_differs_is_named(net: Network) -> None:
    early = hidden(net, 1)
    found = certify(changed(net, early.name, silent=0, buffered=False), data()[2], samples=40)
    first = found.first_difference
    assert first is not None
    assert first.population == early.name
    assert not first.reason
    assert f"✗ Not certified: {early.name} is the first layer" in found.statement
    assert "silent_steps" in found.statement
    assert not found.universal
    assert found.to_json()["first_difference"] == early.name


def test_a_potential_that_saturates_is_the_cause_that_is_named() -> None:
    """The register holds one threshold where the ANN's sum holds two."""
    zero = np.zeros(1, np.int32)
    populations = (
        Input("input", (1,), payload_max=255),
        IF("hidden", (1,), 2**17 - 1, zero, zero, silent=5),
        Readout("readout", (1,), zero, zero),
    )
    maps = (Dense(np.full((1, 1), 255, np.int32)), Dense(np.ones((1, 1), np.int32)))
    connections = (Connection("input", "hidden", maps[0]), Connection("hidden", "readout", maps[1]))
    found = certify(Network(populations, connections, 5, fixed_point=True), np.ones((3, 1)))
    assert [(layer.population, layer.differences, layer.largest, layer.saturated) for layer in found.layers] == [
        ("hidden", 3, 1, 3),
        ("readout", 3, 64, 0),
    ]
    assert "registers of hidden reach their ends on 3 of 3 samples" in found.statement
    assert not found.universal
    assert not found.holds


def test_it_says_for_which_samples_it_holds(net: Network) -> None:
    found = certify(net, data()[2], samples=2)
    every = replace(found, bounded=True)
    assert "for every sample: counts are a function of counts" in every.statement
    assert every.universal
    assert "that saturates no potential" in replace(found, bounded=False).statement
    free = replace(every, layers=tuple(replace(layer, reason="") for layer in every.layers))
    assert "for these samples: when spikes come could matter in" in free.statement
    assert " more." in free.statement
    fault = Certificate(1, 2, (certificates.Certified("a", "sums", 5, 1, 1),), True)
    assert "fault of the emulator" in fault.statement


def test_what_cannot_be_certified_is_said(net: Network) -> None:
    with pytest.raises(InvalidSetting, match="samples 0"):
        certify(net, data()[2], samples=0)
    zero = converted(timesteps=4, reset="zero")
    with pytest.raises(UnsupportedLayer, match='reset "zero"'):
        lc.certify(zero, data()[2])
