"""What each kind of population says of itself, and the base that asks."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, get_args

import numpy as np
import pytest

from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Dense
from loihiconv.core.network import (
    IF,
    Connection,
    Input,
    Integrating,
    Integrator,
    MaxPool,
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


def test_every_kind_derives_from_the_base_and_those_that_integrate_from_theirs() -> None:
    assert all(issubclass(kind, PopulationBase) for kind in get_args(Population))
    assert {kind for kind in get_args(Population) if issubclass(kind, Integrator)} == set(get_args(Integrating))


def test_order_and_defaults_of_fields_are_those_of_saved_networks() -> None:
    names = {kind.__name__: [f.name for f in fields(kind)] for kind in get_args(Population)}
    assert names == {
        "Input": ["name", "shape", "coding", "scale", "payload_max", "signed", "seed", "bias_plane", "given", "order", "preprocessing"],
        "IF": ["name", "shape", "vth", "v_init", "bias", "reset", "payload_max", "bound", "silent", "buffered", "signed", "copies"],
        "MaxPool": ["name", "shape", "estimate", "decay", "payload_max"],
        "Readout": ["name", "shape", "v_init", "bias", "scale", "decision", "rate", "seed", "delay", "ending", "parts"],
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
        (replace(BINARY, signed=True), ("spiking", True, 1, -1, True, True, "subtract", 6400.0, 7.0)),
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


def test_copies_start_a_share_of_a_threshold_apart() -> None:
    assert BINARY.charge(0.25).tolist() == [0.25]
    pairs = replace(BINARY, shape=(4, 1, 1), copies=2)
    assert pairs.charge(0.5).tolist() == [[[0.25]], [[0.75]], [[0.25]], [[0.75]]]
    assert pairs.charge(0.0).ravel().tolist() == [0, 0.5, 0, 0.5]
    incoming = [(Connection("m", "n", Dense(np.eye(3))), RATE)]
    pairs.check(incoming, 4)
    with pytest.raises(InvalidModel, match="n: 2 copies in 3 channels; 1 to 16 expected, and as many of each"):
        replace(BINARY, copies=2).check(incoming, 4)


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
