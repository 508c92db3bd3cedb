"""The step of integrate-and-fire neurons: values by hand, and against the simulator that is written out neuron by neuron."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from loihiconv.core.input_coding import host_currents, input_payloads
from loihiconv.core.linear import Array
from loihiconv.core.network import IF, V_MAX, Integrating, Integrator, Network, Readout
from loihiconv.core.neurons import charged, current, discharge, fire, integrate
from tests import naive
from tests.strategies import Case, cases


def whole(*values: int) -> Array:
    return np.array(values, np.int32)


def test_sums_are_shifted_and_biases_are_not() -> None:
    assert current(whole(3, -2, 131071), whole(5, 0, -1)).tolist() == [3 * 64 + 5, -128, 131071 * 64 - 1]


def test_potentials_saturate_at_24_bits_in_both_directions() -> None:
    v = whole(V_MAX - 1, V_MAX - 1, -V_MAX + 1, 10)
    assert integrate(v, whole(1, 2, -5, -20)).tolist() == [V_MAX, V_MAX, -V_MAX, -10]
    assert v.tolist() == [V_MAX - 1, V_MAX - 1, -V_MAX + 1, 10]
    assert integrate(v, whole(1, 2, -5, -20), out=v) is v
    assert v.tolist() == [V_MAX, V_MAX, -V_MAX, -10]


def test_a_potential_at_the_threshold_does_not_fire() -> None:
    v = whole(99, 100, 101, 350, -7)
    assert fire(v, 100).tolist() == [False, False, True, True, False]
    assert v.tolist() == [99, 100, 1, 250, -7]  # once, however far beyond it is


def test_a_reset_to_zero_loses_what_is_beyond_the_threshold() -> None:
    v = whole(99, 100, 101, 350, -7)
    assert fire(v, 100, "zero").tolist() == [False, False, True, True, False]
    assert v.tolist() == [99, 100, 0, 0, -7]


def test_graded_spikes_carry_whole_thresholds_from_the_first_on() -> None:
    v = whole(99, 100, 399, 900, -150)
    assert fire(v, 100, payload_max=5).tolist() == [0, 1, 3, 5, 0]
    assert v.tolist() == [99, 0, 99, 400, -150]
    v = whole(99, 100, 200, 900)
    assert fire(v, 100, payload_max=2).tolist() == [0, 1, 2, 2]
    assert v.tolist() == [99, 0, 0, 700]


def test_kinds_of_population() -> None:
    neurons, readout = IF("n", (2,), 2, whole(0), whole(0), "zero"), Readout("r", (2,), whole(0), whole(0))
    v = charged(neurons, whole(0, 0), whole(128, 129))
    assert discharge(neurons, v, whole(0, 0)).tolist() == [False, True]
    assert v.tolist() == [128, 0]
    v = charged(readout, whole(0, V_MAX), whole(-5, 5))
    assert discharge(readout, v, whole(0, 0)).tolist() == [False, False]
    assert v.tolist() == [-5, V_MAX]


@settings(max_examples=60, deadline=None)
@given(cases(max_timesteps=12, max_samples=2, several=True, signed=True))
def test_step_by_step_it_is_the_simulator_that_is_written_out(case: Case) -> None:
    expected = naive.simulate(case.network, case.x)
    payload = input_payloads(case.network, case.x)
    currents = host_currents(case.network, payload)
    for population in case.network.populations:
        if not isinstance(population, Integrator):
            continue
        bias = currents.get(population.name, np.broadcast_to(population.bias, (len(case.x), *population.shape)))
        v = np.broadcast_to(population.v_init, bias.shape).astype(np.int64)
        sent = np.zeros_like(v)
        for t in range(case.network.timesteps):
            if t >= population.first_step:
                v = charged(population, v, current(sums(case.network, population, expected, payload, t), bias))
            if population.spiking:
                fired = discharge(population, v, sent)
                np.testing.assert_array_equal(fired, expected.spikes[population.name][:, t], err_msg=population.name)
            else:
                np.testing.assert_array_equal(v, expected.potentials_over_time[:, t])


def sums(network: Network, population: Integrating, happened: naive.Result, payload: dict[str, Array], t: int) -> Array:
    """What arrives at a population in a step, by matrices: int64 (N, \\*shape)."""
    samples = len(happened.potentials)
    total = np.zeros((samples, population.size), np.int64)
    for connection in network.incoming(population.name):
        if not connection.on_host:
            sent = happened.spikes[connection.source][:, t] if connection.source in happened.spikes else payload[connection.source]
            weights = naive.matrix(connection.map, network[connection.source].shape).astype(np.int64)
            total += connection.shifted(sent.reshape(samples, -1).astype(np.int64) @ weights.T)
    return total.reshape(samples, *population.shape)


def test_no_more_is_taken_back_than_was_sent_and_than_a_payload_carries() -> None:
    v, sent = np.array([-1000, -1000, 250]), np.array([1, 9, 0])
    assert fire(v, 100, payload_max=3, sent=sent).tolist() == [-1, -3, 2]
    assert sent.tolist() == [0, 6, 2]
    assert v.tolist() == [-900, -700, 50]
