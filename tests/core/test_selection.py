"""One of several outputs by itself computes what it computed beside the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout
from loihiconv.core.parts import OutputPart, slices
from loihiconv.core.record import CalibrationSummary, ConversionRecord, LayerRecord
from loihiconv.core.selection import only
from loihiconv.simulator import simulate
from tests.strategies import Case, cases

ZERO = np.zeros(1, np.int32)
RNG = np.random.default_rng(0)


@settings(max_examples=20, deadline=None)
@given(cases(max_timesteps=4, max_samples=2, several=True), st.floats(0, 1))
def test_potentials_are_equal(case: Case, share: float) -> None:
    readout = replace(case.network.readout, decision="potential")
    if readout.size < 2:
        return
    first = 1 + int(share * (readout.size - 2))
    readout = replace(readout, parts=(OutputPart("a", (first,), 2.0), OutputPart("b", (readout.size - first,), 0.5)))
    both = replace(case.network, populations=(*case.network.populations[:-1], readout))
    whole = simulate(both, case.x).potentials.reshape(len(case.x), -1)
    for name, place in slices(readout.parts).items():
        alone = only(both, name)
        assert alone.readout.name == name
        np.testing.assert_array_equal(simulate(alone, case.x).potentials, whole[:, place])


def network() -> Network:
    """Two outputs, "map" from a convolution and "value" from what is behind another population alone."""
    conv = Conv(RNG.integers(-9, 9, (3, 1, 3, 3)).astype(np.int32) * 2, padding=(1,) * 4)
    conv.weight[2] = 0
    value = np.zeros((12, 2), np.int32)
    value[8:] = 4
    populations = (
        Input("input", (1, 2, 2), payload_max=7),
        IF("spikes", (2,), 9, ZERO, ZERO),
        Readout(
            "out", (12,), ZERO, np.arange(12, dtype=np.int32), 3.0, parts=(OutputPart("map", (2, 2, 2), 2.0), OutputPart("value", (4,)))
        ),
    )
    connections = (
        Connection("input", "spikes", Dense(np.full((2, 4), 2, np.int32))),
        Connection("input", "out", conv),
        Connection("spikes", "out", Dense(value)),
    )
    entry = LayerRecord(1.0, "", 8.0)
    record = ConversionRecord(
        calibration=CalibrationSummary(scales={"out": (0.5, 0.25)}), quantization={"spikes": entry, "out": replace(entry, gain=2.0)}
    )
    return Network(populations, connections, 4, fixed_point=True, record=record)


def test_what_the_others_alone_need_is_gone() -> None:
    alone = only(network(), "map")
    assert [p.name for p in alone.populations] == ["input", "map"]
    (connection,) = alone.connections
    assert isinstance(connection.map, Conv)
    assert connection.map.weight.shape == (2, 1, 3, 3)
    assert (alone.readout.scale, alone.readout.bias.tolist()) == (6.0, list(range(8)))
    assert (alone.outputs[0].name, alone.readout.parts) == ("map", ())
    assert alone.record.calibration.scales == {"map": (0.5,)}
    assert {name: entry.gain for name, entry in alone.record.quantization.items()} == {"map": 2.0}
    other = only(network(), "value")
    assert [c.source for c in other.connections] == ["input", "spikes"]


def test_a_name_that_is_taken_and_one_that_there_is_not() -> None:
    taken = network()
    readout = replace(taken.readout, parts=(OutputPart("map", (2, 2, 2)), OutputPart("spikes", (4,))))
    assert only(replace(taken, populations=(*taken.populations[:-1], readout)), "spikes").readout.name == "out"
    with pytest.raises(InvalidSetting, match="output 'mp', did you mean 'map'"):
        only(taken, "mp")
    assert only(only(taken, "map"), "map").outputs[0].name == "map"
