"""Networks run population by population give what whole runs give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import loihiconv as lc
from loihiconv.core.linear import Array
from loihiconv.core.network import IF, Network, Readout
from loihiconv.core.recording import Recording
from loihiconv.simulator import memory, simulate
from loihiconv.simulator.layerwise import Layerwise
from tests.strategies import Case, cases


def whole(recording: Recording, name: str, network: Network) -> Array:
    """Mean over samples of what a population sent, or of the readout's potentials."""
    values = recording.potentials if name == network.readout.name else recording.sent(name)
    return np.asarray(values.astype(np.float64).mean(axis=0))


@settings(max_examples=60, deadline=None)
@given(cases(max_timesteps=9, several=True, separated=True, signed=True), st.booleans())
def test_equals_whole_runs(case: Case, cut: bool) -> None:
    network = case.network
    with pytest.MonkeyPatch.context() as patch:
        if cut:
            patch.setattr(memory, "plan", lambda net, *_, **__: memory.Blocks(2, net.timesteps if net.silent_steps else 4))
        run, recording = Layerwise(network, case.x), simulate(network, case.x)
        for population in network.layers:
            np.testing.assert_array_equal(run.measure(population.name), whole(recording, population.name, network))
            if population is not network.readout:
                run.settle(population.name)


@settings(max_examples=30, deadline=None)
@given(cases(max_timesteps=9, separated=True, signed=True), st.integers(-(2**16), 2**16))
def test_replacements_are_what_later_populations_see(case: Case, shift: int) -> None:
    """Other biases and start potentials in every population, one after the other."""
    run, network = Layerwise(case.network, case.x), case.network
    for population in case.network.populations[1:]:
        if isinstance(population, (IF, Readout)) and not any(c.on_host for c in network.incoming(population.name)):
            changed = replace(population, bias=np.clip(population.bias + shift, -(2**18), 2**18), v_init=population.v_init // 2)
            network = replace(network, populations=tuple(changed if p is population else p for p in network.populations))
            run.replace(changed)
        np.testing.assert_array_equal(run.measure(population.name), whole(simulate(network, case.x), population.name, network))
        if population is not case.network.readout:
            run.settle(population.name)


@settings(max_examples=20, deadline=None)
@given(cases(max_timesteps=5, separated=True, signed=True))
def test_other_weights_are_what_later_populations_see(case: Case) -> None:
    """Weights of the other sign into every population, one after the other, and what each sample makes those before them send."""
    run, network = Layerwise(case.network, case.x), case.network
    for population in case.network.layers:
        changed = {c: replace(c, map=c.map.with_weight(-c.map.weight)) for c in network.incoming(population.name)}
        if isinstance(population, (IF, Readout)) and not any(c.on_host for c in changed):
            network = replace(network, connections=tuple(changed.get(c, c) for c in network.connections))
            run.rewire(network)
        recording = simulate(network, case.x)
        for source in {c.source for c in changed if network[c.source].spiking}:
            np.testing.assert_array_equal(run.sent(source), recording.sent(source))
        np.testing.assert_array_equal(run.measure(population.name), whole(recording, population.name, network))
        if population is not case.network.readout:
            run.settle(population.name)


@settings(max_examples=20, deadline=None)
@given(cases(max_timesteps=3, separated=True, signed=True))
def test_spikes_are_dropped_when_nothing_needs_them_any_more(case: Case) -> None:
    run = Layerwise(case.network, case.x)
    for population in case.network.populations[1:-1]:
        run.settle(population.name)
    assert set(run._sent) <= {c.source for c in case.network.incoming(case.network.readout.name)}


@pytest.mark.filterwarnings("ignore:calibration data")
def test_the_highest_potential_is_that_at_the_end_of_the_silent_steps() -> None:
    """With as many silent steps as time steps a neuron holds its whole input then, before the first spike takes from it."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 3))
    x = np.random.default_rng(0).random((30, 6)).astype(np.float32)
    net = lc.convert(model, x, board=None, timesteps=8, silent_steps=8, buffered=True)
    run = Layerwise(net, x)
    for population in net.layers[:-1]:
        run.settle(population.name)
    first, second = (population for population in net.layers if isinstance(population, IF))
    (connection,) = net.incoming(second.name)
    received = simulate(net, x).sent(first.name).reshape(len(x), -1) @ connection.map.weight.T
    whole_input = second.v_init + 8 * second.bias + received
    assert run.potentials[second.name][1] == pytest.approx(whole_input.max(), rel=1e-5)
