"""Ranges that a run uses, followed again from its spikes."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings

import loihiconv as lc
from loihiconv.evaluation.explain.ranges import LIMITS, dequantized, state_ranges, weight_statistics
from loihiconv.evaluation.explain.reference import matching
from loihiconv.simulator import simulate
from tests.evaluation.good import converted, data
from tests.strategies import Case, cases


@settings(max_examples=60, deadline=None)
@given(cases(max_timesteps=6, separated=True))
def test_within_what_is_possible(case: Case) -> None:
    network = case.network
    recording = simulate(network, case.x, record=["spikes", "residuals"])
    for ranges in state_ranges(network, case.x, recording):
        assert ranges.u_seen <= LIMITS["u"]
        assert int(np.abs(recording.residuals[ranges.population]).max()) <= ranges.v_seen <= LIMITS["v"]
        if ranges.threshold is not None and recording.spikes[ranges.population].any():
            graded = ranges.population in recording.payload_sums  # they are sent from the threshold on, others beyond it
            assert ranges.v_seen >= ranges.threshold + (not graded)


def test_worst_cases_hold() -> None:
    net, x = converted(), data()[2][:4]
    for ranges in state_ranges(net, x, lc.run(net, x, record=["spikes"])):
        assert 0 < ranges.u_seen <= ranges.u_worst
        assert ranges.v_seen <= ranges.v_worst
        assert ranges.bias <= LIMITS["bias"]


def test_weights_in_the_float_networks_units() -> None:
    for options in ({}, {"board": "nahuku32"}, {"input_coding": "rate"}):
        net = converted(**options)
        assert net.origin is not None
        for c, statistics in zip(net.connections, weight_statistics(net), strict=True):
            twin = matching(c, net, net.origin)
            assert twin is not None
            error = dequantized(net, c) - twin.map.weight
            assert np.sqrt(np.mean(error**2)) / np.sqrt(np.mean(twin.map.weight.astype(float) ** 2)) < 0.04
            assert statistics.error is not None
            assert statistics.error < 0.04
            assert statistics.counts.sum() == c.map.weight.size
            assert statistics.float_counts.sum() == twin.map.weight.size
            assert statistics.on_host == c.on_host
            if not c.on_host:
                assert 7 < statistics.bits_used <= 8
