"""What a network is made of: the base of all kinds of population, and what each kind accepts."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise
from typing import Any, get_args

import numpy as np
import pytest

from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import (
    IF,
    Connection,
    Input,
    Integrating,
    Integrator,
    MaxPool,
    Network,
    Population,
    PopulationBase,
    Readout,
    assert_never,
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


def test_every_kind_derives_from_the_base_and_those_that_integrate_from_theirs() -> None:
    assert all(issubclass(kind, PopulationBase) for kind in get_args(Population))
    assert {kind for kind in get_args(Population) if issubclass(kind, Integrator)} == set(get_args(Integrating))


def test_order_and_defaults_of_fields_are_those_of_saved_networks() -> None:
    names = {kind.__name__: [f.name for f in fields(kind)] for kind in get_args(Population)}
    assert names == {
        "Input": ["name", "shape", "coding", "scale", "payload_max", "signed", "seed", "bias_plane"],
        "IF": ["name", "shape", "vth", "v_init", "bias", "reset", "payload_max"],
        "MaxPool": ["name", "shape", "estimate", "decay", "payload_max"],
        "Readout": ["name", "shape", "v_init", "bias", "scale", "decision", "rate", "seed", "delay"],
    }
    assert (BINARY.reset, BINARY.payload_max, GATE.estimate, GATE.decay, READOUT.rate) == ("subtract", 1, "count", 5, 0.5)


@pytest.mark.parametrize(
    ("population", "expected"),
    [
        (Input("n", (3,), payload_max=255, signed=True), ("input", False, 255, -255, False, False, None, 255.0, 0.0)),
        (RATE, ("input", True, 1, 0, False, True, "subtract", 255.0, 127.0)),
        (replace(RATE, coding="poisson"), ("input", True, 1, 0, False, False, None, 255.0, 0.0)),
        (BINARY, ("spiking", True, 1, 0, False, True, "subtract", 6400.0, 7.0)),
        (replace(BINARY, payload_max=15), ("spiking", True, 15, 0, True, True, "subtract", 6400.0, 7.0)),
        (replace(BINARY, reset="zero"), ("spiking", True, 1, 0, False, True, "zero", 6400.0, 7.0)),
        (GATE, ("max-pooling", True, 15, 0, True, False, None, 1.0, 0.0)),
        (READOUT, ("readout", False, 0, 0, False, True, None, 1.0, 7.0)),
    ],
)
def test_what_each_kind_says_of_itself(population: Population, expected: tuple[Any, ...]) -> None:
    p, start = population, population.start(fixed_point=True)
    said = (p.kind, p.spiking, p.largest_message, p.smallest_message, p.graded, p.has_potential, p.resets, p.spike_charge(6))
    assert (*said, start.flat[0]) == expected
    assert (p.size, start.shape, start.dtype) == (3, p.shape, np.float64)
    assert p.on_chips == (not isinstance(p, MaxPool))


def test_an_input_neuron_of_a_float_network_starts_at_half_its_threshold() -> None:
    assert replace(RATE, payload_max=0).start(fixed_point=False).tolist() == [0.5, 0.5, 0.5]
    assert replace(RATE, payload_max=0).spike_charge(0) == 1.0


def test_one_of_the_float_network_is_a_threshold_or_a_readouts_scale() -> None:
    assert (BINARY.unit(0), BINARY.unit(6), READOUT.unit(6)) == (100.0, 6400.0, 640.0)
    assert (BINARY.first_step, replace(READOUT, delay=3).first_step) == (0, 3)


def test_a_gain_becomes_the_threshold_or_stretches_the_scale() -> None:
    state = {"v_init": np.array([3], np.int32), "bias": np.array([5], np.int32)}
    neurons = replace(BINARY, vth=1.0, payload_max=3).quantized(50.0, 6, **state)
    assert (neurons.vth, type(neurons.vth), neurons.payload_max, neurons.v_init[0], neurons.bias[0]) == (50, int, 3, 3, 5)
    readout = replace(READOUT, scale=0.5, delay=2).quantized(50.0, 6, **state)
    assert (readout.scale, readout.delay, readout.v_init[0], readout.bias[0]) == (1600.0, 2, 3, 5)


def test_a_kind_that_leaves_a_question_open_cannot_be_made() -> None:
    class Silent(PopulationBase):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Silent("n", (3,))  # type: ignore[abstract]


def test_a_kind_that_a_match_forgets_is_an_error_with_its_name() -> None:
    with pytest.raises(AssertionError, match="Readout is not handled here"):
        assert_never(READOUT)  # type: ignore[arg-type]


@pytest.mark.parametrize("missing", [0, -1])
def test_the_ends_are_one_input_and_one_readout(missing: int) -> None:
    populations = [Input("input", (4,), payload_max=7), replace(BINARY, name="hidden"), READOUT]
    del populations[missing]
    with pytest.raises(InvalidModel, match="one input as its first population and one readout as its last"):
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
