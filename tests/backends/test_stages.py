"""Small networks of a self-test: made of what the network has, valid, and so that each of their numbers shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

import loihiconv as lc
from loihiconv.backends.stages import LAST, SOURCE, small_networks
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, Connection, Network, Readout
from loihiconv.core.validation import validate
from loihiconv.evaluation.compare import mismatches
from loihiconv.lava.chip.realizations import REALIZATIONS
from loihiconv.lava.layout import lava_views, synapse_kind
from loihiconv.lava.stages import TESTS
from tests.lava.small import chain
from tests.strategies import Case, cases


def images(*, exponent: int = 0, skip: bool = False) -> Network:
    """Two convolutions and a readout, the first joined to it as well where there is a skip."""
    first, hidden, readout = chain().populations
    one = Conv(np.full((1, 1, 3, 3), 2, np.int32), padding=(1, 1, 1, 1))
    populations = (
        replace(first, shape=(1, 4, 4)),
        replace(hidden, name="a", shape=(1, 4, 4)),
        replace(hidden, name="b", shape=(1, 4, 4)),
        readout,
    )
    connections = [
        Connection("input", "a", one, weight_exp=exponent),
        Connection("a", "b", one, weight_exp=exponent),
        Connection("b", "readout", Dense(np.full((2, 16), 2, np.int32))),
    ]
    connections += [Connection("a", "readout", Dense(np.full((2, 16), 2, np.int32)))] if skip else []
    return Network(populations, tuple(connections), 8, fixed_point=True)


@pytest.mark.parametrize(
    ("network", "names"),
    [
        (chain(), ["dense", "dense-payloads", "reset"]),
        (images(), ["dense", "convolution", "convolution-payloads", "reset"]),
        (images(exponent=-2), ["dense", "sparse", "sparse-payloads", "reset"]),
        (images(skip=True), ["dense", "convolution", "delay", "convolution-payloads", "reset"]),
    ],
)
def test_stages_are_of_what_the_network_has(network: Network, names: list[str]) -> None:
    found = small_networks(network, "native")
    assert [small.name for small in found] == names
    assert names == [name for name in TESTS if name in names]
    exponents = {small.name: min(c.weight_exp for c in small.network.connections) for small in found}
    assert {name for name, exponent in exponents.items() if exponent} - {"reset"} == {name for name in names if name.startswith("sparse")}
    for small in found:  # everything comes from the host as it does in the network
        kind = synapse_kind(small.network, small.network.connections[0], lava_views(small.network))
        assert f"{kind}-payloads" in names


@pytest.mark.parametrize("realization", REALIZATIONS)
@pytest.mark.parametrize("timesteps", [1, 16, 1024])
def test_they_are_valid_in_every_realization_and_their_neurons_neither_silent_nor_always_firing(realization, timesteps) -> None:
    reset = "subtract" if realization in ("native", "atrlif") else "zero"
    network = replace(images(), timesteps=timesteps)
    network = replace(network, populations=tuple(replace(p, reset=reset) if isinstance(p, IF) else p for p in network.populations))
    for small in small_networks(network, realization):
        validate(small.network)
        assert small.network.timesteps == min(max(timesteps, 8), 64)
        recording = lc.run(lc.realize(small.network, realization), small.x, record=["spikes"])
        assert not recording.saturated
        assert recording.potentials.any()
        assert all(0.05 < spikes.mean() < 0.95 for spikes in recording.spikes.values())
        if realization in ("lif", "lifreset", "netx", "native"):  # nothing is quantized again
            assert lc.realize(small.network, realization).connections == small.network.connections


@pytest.mark.parametrize("name", ["dense", "convolution", "sparse", "delay"])
def test_most_weights_between_neurons_show(name: str) -> None:
    """One weight of the other sign, in 8 time steps; what is behind a threshold may hide."""
    network = {"sparse": images(exponent=-1), "delay": images(skip=True)}.get(name, images())
    small = next(small for small in small_networks(network, "native") if small.name == name)
    right = lc.run(small.network, small.x, record=["spikes"])
    seen = []
    for connection in (c for c in small.network.connections if c.source != SOURCE):
        for place in list(np.ndindex(connection.map.weight.shape))[::3]:
            other = connection.map.weight.copy()
            other[place] *= -1
            changed = replace(connection, map=connection.map.with_weight(other))
            altered = replace(small.network, connections=tuple(changed if c is connection else c for c in small.network.connections))
            seen.append(mismatches(right, lc.run(altered, small.x, record=["spikes"])) != ({"first": 0, "second": 0}, 0))
    assert len(seen) > 10
    assert np.mean(seen) > 0.7


def test_every_payload_of_a_value_shows() -> None:
    small = next(small for small in small_networks(chain(), "native") if small.name == "dense-payloads")
    (readout,) = (p for p in small.network.populations if isinstance(p, Readout))
    found = lc.run(small.network, small.x).potentials
    assert (readout.name, found.shape) == (LAST, (1, 12))
    assert len(np.unique(found[0])) == 12
    np.testing.assert_array_equal(found, (small.x * 2 * 8 * 64).astype(int))


@given(cases(graded=False, several=True))
@settings(max_examples=10, deadline=None)
def test_any_network_has_stages(case: Case) -> None:
    for small in small_networks(case.network, "native"):
        validate(small.network)
        lc.run(small.network, small.x)
