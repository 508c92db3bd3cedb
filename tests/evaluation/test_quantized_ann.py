"""The quantized ANN, in which there is no time, against the naive simulator, in which there is nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings

from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.input_coding import check_samples
from loihiconv.core.linear import Dense
from loihiconv.core.network import IF, Connection, Input, MaxPool, Network, Readout
from loihiconv.evaluation.quantized_ann import evaluate, reasons
from tests import naive
from tests.strategies import Case, cases, separated


@settings(max_examples=150, deadline=None)
@given(cases(max_timesteps=7, several=True))
def test_with_all_steps_silent_counts_are_those_of_the_ann(case: Case) -> None:
    """Any linear map, exponent, gate, payload and input coding; potentials that saturate are no part of an ANN."""
    network = separated(case.network)
    assert all(reasons(network).values())
    expected = naive.simulate(network, case.x)
    assume(not any(ends.any() for ends in expected.ends.values()))
    ann = evaluate(network, check_samples(network, case.x))
    assert set(ann.counts) == set(expected.spikes)
    for name, counts in ann.counts.items():
        np.testing.assert_array_equal(counts, expected.spikes[name].sum(axis=1, dtype=int), err_msg=name)
    np.testing.assert_array_equal(ann.potentials, expected.potentials)


def network(*layers: IF | MaxPool, timesteps: int = 4, weight_exp: int = 0, delay: int = 0) -> Network:
    """A chain of one neuron each, of synapses of weight 2, behind an analog input, with a readout at its end."""
    zero = np.zeros(1, np.int32)
    populations = (Input("input", (1,), payload_max=255), *layers, Readout("readout", (1,), zero, zero, delay=delay))
    ones = Dense(np.full((1, 1), 2, np.int32))
    exponents = [0] * len(layers) + [weight_exp]
    connections = [
        Connection(a.name, b.name, ones, weight_exp=e) for a, b, e in zip(populations[:-1], populations[1:], exponents, strict=True)
    ]
    return Network(populations, tuple(connections), timesteps, fixed_point=True)


def neuron(name: str, vth: int = 3, **rules: object) -> IF:
    return replace(IF(name, (1,), vth, np.zeros(1, np.int32), np.zeros(1, np.int32)), **rules)  # type: ignore[arg-type]


def test_counts_by_hand() -> None:
    """Two per step against a threshold of 3, strictly: spikes at steps 2 and 4 of 4, of 8 / 3; then 2 x 2 against 3: one."""
    chain = network(neuron("a"), neuron("b", silent=4))
    ann = evaluate(chain, np.ones((1, 1), np.float32) / 255)
    assert (ann.counts["a"], ann.counts["b"], ann.potentials) == (2, 1, 2 << 6)


@pytest.mark.parametrize("weight_exp", [0, -1, -2])
@pytest.mark.parametrize("delay", [0, 2])
@pytest.mark.parametrize(("silent", "payload_max"), [(0, 1), (2, 1), (2, 3), (4, 3)])
def test_trains_that_are_known_from_counts(silent: int, payload_max: int, delay: int, weight_exp: int) -> None:
    """Constant currents with some steps silent, and all steps silent behind them; sums rounded at each step, some of which do not count."""
    first = neuron("a", 3, silent=silent, payload_max=payload_max)
    chain = network(first, neuron("b", 2, silent=4, payload_max=3), weight_exp=weight_exp, delay=delay)
    rounded = replace(chain.connections[1], map=Dense(np.full((1, 1), 3, np.int32)), weight_exp=weight_exp)
    chain = replace(chain, connections=(chain.connections[0], rounded, chain.connections[2]))
    x = np.arange(24, dtype=np.float32)[:, None] / 255
    expected, ann = naive.simulate(chain, x), evaluate(chain, check_samples(chain, x))
    for name in ("a", "b"):
        np.testing.assert_array_equal(ann.counts[name], expected.spikes[name].sum(axis=1, dtype=int), err_msg=name)
    np.testing.assert_array_equal(ann.potentials, expected.potentials)


def test_random_spikes_depend_on_where_a_sample_is_in_its_run() -> None:
    chain = network(neuron("a", silent=4))
    chain = replace(chain, populations=(replace(chain.input, coding="poisson"), *chain.layers))
    x = np.full((40, 1), 0.5, np.float32)
    whole, later = evaluate(chain, x), evaluate(chain, x[7:], first=7)
    np.testing.assert_array_equal(later.counts["input"], whole.counts["input"][7:])


def test_what_is_no_function_of_counts_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedLayer, match=r'a: reset "zero".*subtract'):
        reasons(network(neuron("a", reset="zero")))
    assert reasons(network(neuron("a", reset="zero"), timesteps=1)) == {"a": "one step", "readout": "sums"}
    late = network(neuron("a"), neuron("b"))
    assert reasons(late) == {"a": "constant currents", "b": "", "readout": "sums"}
    with pytest.raises(UnsupportedLayer, match=r"b->readout: weight exponent -1.*rounded at every step.*silent_steps"):
        reasons(network(neuron("a"), neuron("b"), weight_exp=-1))
    with pytest.raises(UnsupportedLayer, match=r"readout: a delay of 1 steps.*readout_delay=0"):
        reasons(network(neuron("a"), neuron("b"), delay=1))
    reasons(network(neuron("a"), neuron("b", silent=4), weight_exp=-1, delay=1))
    assert reasons(network(neuron("a"), neuron("b", silent=2)))["b"] == ""
    open_before = network(neuron("a"), neuron("b"), neuron("c", silent=4), weight_exp=-1)
    assert reasons(open_before) == {"a": "constant currents", "b": "", "c": "all steps silent", "readout": "sums"}
    with pytest.raises(InvalidModel, match=r"float network.*board"):
        reasons(replace(late, fixed_point=False))
