"""What a network is made of, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from loihiconv.core.ending import Pick, Softmax
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import (
    IF,
    Connection,
    Input,
    MaxPool,
    Network,
    Population,
    Readout,
)

NOTHING = np.zeros(1, np.int32)
BINARY = IF("n", (3,), 100, np.array([7], np.int32), NOTHING)
READOUT = Readout("n", (3,), np.array([7], np.int32), NOTHING, scale=640.0)
RATE = Input("n", (3,), "rate", payload_max=255)
GATE = MaxPool("n", (1, 1, 3), payload_max=15)


def network(*populations: Population, timesteps: int = 4) -> Network:
    """A chain of populations; convolutions of ones into gates, dense matrices elsewhere."""
    connections = []
    for source, target in pairwise(populations):
        if isinstance(target, MaxPool):
            windows: Any = Conv(np.ones((source.shape[0], 1, 2, 2), np.int32), (2, 2), (0, 0, 0, 0), (1, 1), source.shape[0])
        else:
            windows = Dense(np.full((target.size, source.size), 2, np.int32))
        connections.append(Connection(source.name, target.name, windows))
    return Network(populations, tuple(connections), timesteps, fixed_point=True)


def gated(gate: MaxPool, hidden: IF | None = None) -> Network:
    hidden = hidden or IF("hidden", (2, 4, 4), 100, NOTHING, NOTHING)
    return network(Input("input", (4,), payload_max=7), hidden, gate, Readout("out", (3,), NOTHING, NOTHING))


@pytest.mark.parametrize("missing", [0, -1])
def test_the_ends_are_inputs_and_one_readout(missing: int) -> None:
    populations = [Input("input", (4,), payload_max=7), replace(BINARY, name="hidden"), READOUT]
    del populations[missing]
    with pytest.raises(InvalidModel, match="inputs as its first populations and one readout as its last"):
        network(*populations)


def test_names_are_unique() -> None:
    with pytest.raises(InvalidModel, match="two populations have the same name"):
        network(Input("input", (4,), payload_max=7), BINARY, READOUT)


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        (Connection("hidden", "input", Dense(np.zeros((4, 3)))), "hidden->input: joins populations that do not exist or run backwards"),
        (Connection("hidden", "nowhere", Dense(np.zeros((4, 3)))), "hidden->nowhere: joins populations that do not exist"),
        (Connection("input", "hidden", Dense(np.zeros((3, 5)))), "input->hidden: "),
        (Connection("input", "hidden", Dense(np.zeros((2, 4)))), r"input->hidden: gives shape \(2,\), its target has \(3,\)"),
    ],
)
def test_connections_lead_forwards_and_fit(connection: Connection, message: str) -> None:
    right = network(Input("input", (4,), payload_max=7), replace(BINARY, name="hidden"), READOUT)
    with pytest.raises(InvalidModel, match=message):
        replace(right, connections=(*right.connections, connection))


@pytest.mark.parametrize("lonely", [0, 1])
def test_what_nothing_comes_into_is_named(lonely: int) -> None:
    right = network(Input("input", (4,), payload_max=7), replace(BINARY, name="hidden"), replace(READOUT, name="out"))
    kept = tuple(c for i, c in enumerate(right.connections) if i != lonely)
    with pytest.raises(InvalidModel, match=f"{('hidden', 'out')[lonely]}: has no incoming connection"):
        replace(right, connections=kept)


@pytest.mark.parametrize(("reset", "payload_max"), [("subtract", 0), ("subtract", 256), ("zero", 2)])
def test_spikes_carry_a_byte_and_none_beside_a_reset_to_zero(reset: Any, payload_max: int) -> None:
    with pytest.raises(InvalidModel, match=f"hidden: payloads of up to {payload_max}; 1 to 255 expected, and 1 with a reset to zero"):
        network(Input("input", (4,), payload_max=7), replace(BINARY, name="hidden", reset=reset, payload_max=payload_max), READOUT)


@pytest.mark.parametrize("delay", [-1, 4])
def test_a_readout_integrates_at_least_one_step(delay: int) -> None:
    with pytest.raises(InvalidModel, match=f"n: a delay of {delay} steps; 0 to 3 expected"):
        network(Input("input", (4,), payload_max=7), replace(READOUT, delay=delay))


def test_a_spiking_softmax_names_classes_as_the_network_does() -> None:
    """It competes for the largest potential, which a selection of outputs behind it calls by another number."""
    softmax = replace(READOUT, decision="softmax", ending=(Softmax(0),))
    network(Input("input", (4,), payload_max=7), softmax)
    with pytest.raises(InvalidModel, match="n: a spiking softmax before softmax, selection"):
        network(Input("input", (4,), payload_max=7), replace(softmax, ending=(Softmax(0), Pick(np.array([2, 0, 1]), (3,)))))


def test_gates_take_windows_of_ones_over_what_spikes() -> None:
    right = gated(MaxPool("gate", (2, 2, 2)))
    assert [p.kind for p in right.populations] == ["input", "spiking", "max-pooling", "readout"]
    dense = Connection("hidden", "gate", Dense(np.ones((8, 32), np.int32)))
    two = replace(right.connections[1], map=right.connections[1].map.with_weight(np.full((2, 1, 2, 2), 2, np.int32)))
    for wrong in (dense, two):
        with pytest.raises(InvalidModel, match="hidden->gate: max-pooling takes a depthwise convolution of ones that does not crop"):
            replace(right, connections=(right.connections[0], wrong, right.connections[2]))
    with pytest.raises(InvalidModel, match="gate: max-pooling takes one connection, from a population that spikes"):
        replace(right, connections=(*right.connections, right.connections[1]))
    with pytest.raises(InvalidModel, match="gate: max-pooling takes one connection, from a population that spikes"):
        network(Input("input", (2, 4, 4), payload_max=7), MaxPool("gate", (2, 2, 2)), READOUT)


def test_gates_have_a_decay_and_payloads_that_go_with_their_source() -> None:
    graded = IF("hidden", (2, 4, 4), 100, NOTHING, NOTHING, payload_max=7)
    assert gated(MaxPool("gate", (2, 2, 2), payload_max=7), graded).payload_max == 7
    with pytest.raises(InvalidModel, match="gate: decay 17; 0 to 16 expected"):
        gated(MaxPool("gate", (2, 2, 2), "average", 17))
    with pytest.raises(InvalidModel, match="gate: pools payloads of up to 7, made for 1"):
        gated(MaxPool("gate", (2, 2, 2)), graded)
    with pytest.raises(InvalidModel, match="gate: pools payloads of up to 7, made for 7"):
        gated(MaxPool("gate", (2, 2, 2), "average", payload_max=7), graded)


def test_says_what_it_is_in_a_line_and_more_on_request() -> None:
    net = network(Input("input", (4,), payload_max=7), replace(BINARY, name="hidden"), replace(READOUT, name="out"))
    assert repr(net) == "<Network, fixed point, T = 4: 3 populations, 10 neurons, 21 weights; samples (4)>"
    rows = net.summary().splitlines()
    assert rows[3].split() == ["input", "4", "4"]
    assert rows[4].split() == ["hidden", "3", "3", "12", "100"]
    assert "<td" in net._repr_html_()
