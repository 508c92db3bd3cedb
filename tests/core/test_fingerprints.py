"""Fingerprints tell which population differs, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import loihiconv as lc
from loihiconv.core.fingerprints import fingerprint, fingerprints
from loihiconv.core.network import IF
from loihiconv.core.record import ConversionRecord
from tests.conversion.small import data, small_cnn


def test_only_the_population_that_changed_differs() -> None:
    net = lc.convert(small_cnn(), data(20), board="kapoho_point", timesteps=4)
    before = fingerprints(net)
    assert fingerprints(replace(net, record=ConversionRecord(), origin=None)) == before
    weight = net.connections[1].map.weight.copy()
    weight.flat[0] += 2
    connections = (net.connections[0], replace(net.connections[1], map=net.connections[1].map.with_weight(weight)), *net.connections[2:])
    after = fingerprints(replace(net, connections=connections))
    assert [name for name in before if before[name] != after[name]] == [net.connections[1].target]
    first = net.populations[1]
    assert isinstance(first, IF)
    populations = tuple(replace(p, vth=p.vth + 1) if p is first else p for p in net.populations)  # type: ignore[call-arg]
    after = fingerprints(replace(net, populations=populations))
    assert [name for name in before if before[name] != after[name]] == [first.name]


def test_fingerprints_tell_types_shapes_and_borders_apart() -> None:
    zeros = np.zeros((2, 3), np.float32)
    different = [
        zeros,
        zeros.T,
        zeros.astype(np.int32),
        -zeros,
        1,
        1.0,
        True,
        "1",
        None,
        ["ab", "c"],
        ["a", "bc"],
        {"a": 1},
        {"a": 2},
        [[1], 2],
        [1, [2]],
        np.zeros((0, 3), np.float32),
    ]
    assert len({fingerprint(value) for value in different}) == len(different)
    assert fingerprint({"a": 1, "b": zeros}) == fingerprint({"b": zeros.copy(), "a": 1})
    assert fingerprint(zeros[:, ::2]) == fingerprint(np.ascontiguousarray(zeros[:, ::2]))
