"""Temporal separation: neurons that integrate before they spike send the rounded sum of what comes in, in any order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings

import loihiconv as lc
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.linear import Array, Dense
from loihiconv.core.network import IF, Connection, Input, Network, Population, Readout, silent_words
from loihiconv.demo import digits, digits_cnn
from loihiconv.simulator import simulate
from tests import naive
from tests.strategies import Case, cases


def whole(*values: int) -> Array:
    return np.array(values, np.int32)


def two_layers(silent: int, timesteps: int = 6) -> Network:
    """A unit that excites at all steps, late, and one that inhibits at the end: in sum nothing is left."""
    populations = (
        Input("input", (2,), scale=1.0, payload_max=1),
        IF("first", (2,), 128, whole(0, -64 * 64), whole(0, 0)),
        IF("second", (1,), 100, whole(0), whole(-3), silent=silent),
        Readout("readout", (1,), whole(0), whole(0)),
    )
    maps = ([[200, 0], [0, 148]], [[120, -240]], [[1]])
    joined = zip(("input", "first", "second"), ("first", "second", "readout"), maps, strict=True)
    connections = tuple(Connection(a, b, Dense(np.array(w, np.int32))) for a, b, w in joined)
    return Network(populations, connections, timesteps, fixed_point=True)


def test_spikes_that_inhibition_comes_too_late_for_are_not_sent() -> None:
    x = np.ones((1, 2), np.float32)
    sent = {silent: int(simulate(two_layers(silent), x).spike_counts["second"].sum()) for silent in (0, 3, 6)}
    assert sent[6] == 0 < sent[0]
    assert sent[6] <= sent[3] <= sent[0]


@settings(max_examples=60, deadline=None)
@given(cases(max_timesteps=9, graded=False, several=True))
def test_with_as_many_silent_steps_as_spiking_ones_counts_are_a_function_of_counts(case: Case) -> None:
    """N = clip(ceil((V(0) + T b + sum of u) / tau) - 1, 0, T): Eq. 7 of Rueckauer et al. 2016 with a left-over of at most one threshold."""
    given = case.network
    separable = {p.name for p in given.populations if isinstance(p, IF) and p.reset == "subtract"}
    separable -= {c.target for c in given.connections if c.on_host}

    def apart(p: Population) -> Population:
        if not (isinstance(p, IF) and p.name in separable):
            return p
        return replace(p, silent=given.timesteps, bias=np.sign(p.bias), v_init=np.sign(p.v_init))

    populations = tuple(apart(p) for p in given.populations)
    network = replace(given, populations=populations)
    happened = naive.simulate(network, case.x)
    recording = simulate(network, case.x)
    saturated = {s.population for s in recording.saturated}
    for name in separable - saturated:
        population, incoming = network[name], network.incoming(name)
        assert isinstance(population, IF)
        if any(c.weight_exp or not network[c.source].spiking for c in incoming):
            continue
        charge = sum(c.map.apply(happened.spikes[c.source].sum(axis=1, dtype=np.int64)).reshape(len(case.x), -1) for c in incoming) * 64
        first = (population.v_init + network.timesteps * population.bias).astype(np.int64)
        charge = charge + np.broadcast_to(first, population.shape).ravel()
        expected = np.clip(-(-charge // (int(population.vth) * 64)) - 1, 0, network.timesteps)
        np.testing.assert_array_equal(recording.spike_counts[name].reshape(len(case.x), -1), expected)


def test_conversion_leaves_what_constant_currents_drive_as_it_is() -> None:
    """Their spikes come evenly; of all others no charge is held back, and samples take T and the silent steps."""
    x, *_ = digits()
    net = lc.convert(digits_cnn(), x[:100], board="kapoho_point", timesteps=5, silent_steps=3)
    assert [p.silent for p in net.populations if isinstance(p, IF)] == [0, 3, 3]
    assert (net.period, net.steps) == (8, "T = 5 + 3 silent")
    assert "silent steps run in the emulator and in Lava; no board has a neuron program for them yet" in net.record.notes
    assert net.latency == net.begins[net.readout.name] + 5
    for population in net.origin.populations if net.origin else ():
        if isinstance(population, IF) and population.silent:
            assert np.all(population.v_init == 0.5)


def test_a_second_potential_costs_latency_and_no_steps() -> None:
    x, *_ = digits()
    made = {b: lc.convert(digits_cnn(), x[:100], board="kapoho_point", timesteps=5, silent_steps=5, buffered=b) for b in (False, True)}
    assert [p.buffered for p in made[True].populations if isinstance(p, IF)] == [False, True, True]
    assert (made[True].period, made[True].steps) == (5, "T = 5, 5 silent ones buffered")
    assert made[True].latency == made[False].latency
    assert np.array_equal(*(simulate(net, x[:50]).potentials for net in made.values()))


def test_silent_steps_that_nobody_takes_are_said() -> None:
    x = np.random.default_rng(0).random((20, 4), np.float32)
    net = lc.convert(torch.nn.Linear(4, 3), x, board="kapoho_point", timesteps=4, silent_steps=4)
    assert net.silent_steps == 0
    assert "no layer is driven by spikes: silent steps change nothing" in net.record.notes


def test_in_words() -> None:
    assert [silent_words(*given) for given in ((0, 0), (3, 3), (3, 0), (3, 2))] == [
        "",
        " + 3 silent",
        ", 3 silent ones buffered",
        " + 2 silent, 3 buffered",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"silent_steps": 9}, "at most 8"),
        ({"silent_steps": 1, "reset": "zero"}, "at most 0"),
        ({"buffered": True}, "buffered without silent steps; there is nothing to keep; give silent_steps as well"),
    ],
)
def test_more_silent_steps_than_there_can_be(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        lc.convert(digits_cnn(), digits()[0][:50], board=None, timesteps=8, **options)  # type: ignore[arg-type]
