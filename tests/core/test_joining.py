"""A run in parts is the whole run, bit for bit, however it is cut: random spikes and softmax competitions too."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.core.fingerprints import fingerprint
from loihiconv.core.joining import joined_recordings
from loihiconv.core.network import Network
from loihiconv.simulator import simulate
from tests.lava.small import chain


def random_chain(coding: str, decision: str) -> Network:
    net = chain(timesteps=6)
    entry = replace(net.populations[0], coding=coding, seed=7)
    readout = replace(net.populations[2], decision=decision, scale=900.0, seed=3)
    return replace(net, populations=(entry, net.populations[1], readout))


X = np.random.default_rng(0).integers(0, 256, (11, 4))


@settings(max_examples=8)
@given(
    st.sampled_from(["analog", "rate", "poisson"]), st.sampled_from(["potential", "softmax"]), st.sets(st.integers(1, 10)), st.booleans()
)
def test_cuts_do_not_show(coding: str, decision: str, cuts: set[int], counts: bool) -> None:
    net = random_chain(coding, decision)
    record = ["spikes", "potentials", "residuals"] if counts else []
    whole = simulate(net, X, record=record, counts=counts)
    places = [0, *sorted(cuts), len(X)]
    parts = [simulate(net, X[a:b], record=record, counts=counts, first=a) for a, b in pairwise(places)]
    joined = joined_recordings(net, parts)
    assert fingerprint(joined) == fingerprint(whole)
    assert len(joined) == len(X)


def test_a_sample_s_place_is_what_random_spikes_depend_on() -> None:
    net = random_chain("poisson", "potential")
    same = np.repeat(X[:1], 4, axis=0)
    spikes = simulate(net, same, record=["spikes"]).spikes["input"]
    assert len({spikes[k].tobytes() for k in range(4)}) > 1
    np.testing.assert_array_equal(simulate(net, same[:1], record=["spikes"], first=3).spikes["input"][0], spikes[3])


def test_spikes_that_were_not_counted_stay_unknown() -> None:
    part = replace(simulate(chain(), X[:3]), firing_rates={}, firing_rate=float("nan"), synaptic_operations=float("nan"))
    joined = joined_recordings(chain(), [part, part])
    assert (len(joined), joined.firing_rates) == (6, {})
    assert np.isnan([joined.firing_rate, joined.synaptic_operations]).all()
    with pytest.raises(IndexError):
        joined_recordings(chain(), [])
