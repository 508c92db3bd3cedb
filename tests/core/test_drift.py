"""What differs between two networks, and that nothing is overlooked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihiconv.core.drift import Change, Drift, diff
from loihiconv.core.ending import Rescale, Softmax
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout
from loihiconv.core.record import ConversionRecord

INPUT, HIDDEN = Input("input", (4,), payload_max=7), IF("hidden", (3,), 100, np.array([7], np.int32), np.zeros(1, np.int32))
OUT = Readout("out", (2,), np.zeros(1, np.int32), np.zeros(1, np.int32))
FIRST, SECOND = Dense(np.full((3, 4), 2, np.int32)), Dense(np.full((2, 3), 2, np.int32))
NET = Network((INPUT, HIDDEN, OUT), (Connection("input", "hidden", FIRST), Connection("hidden", "out", SECOND)), 4, True, "b")


def test_what_changed_is_said_with_its_layer() -> None:
    weight = FIRST.weight.copy()
    weight[0, :2] += [2, -4]
    changed = replace(
        NET,
        timesteps=8,
        populations=(INPUT, replace(HIDDEN, vth=90, bias=np.array([64, 0, 0], np.int32)), OUT),
        connections=(replace(NET.connections[0], map=Dense(weight)), NET.connections[1]),
    )
    assert [tuple(change) for change in diff(NET, changed).changes] == [
        ("network", "timesteps", "4 -> 8"),
        ("hidden", "vth", "100 -> 90"),
        ("hidden", "bias", "shape (1,) -> (3,)"),
        ("input -> hidden", "map.weight", "2 of 12 values, by up to 4"),
    ]


def test_layers_that_come_and_go() -> None:
    direct = Network((INPUT, OUT), (Connection("input", "out", Dense(np.full((2, 4), 2, np.int32))),) * 2, 4, True, "b")
    assert [(c.where, c.how) for c in diff(NET, direct).changes] == [
        ("hidden", "is only in the first"),
        ("input -> hidden", "is only in the first"),
        ("hidden -> out", "is only in the first"),
        ("input -> out", "is only in the second"),
        ("input -> out (2)", "is only in the second"),
    ]


def test_settings_are_said_and_are_no_change() -> None:
    records = [ConversionRecord(settings={"scale": scale, "seed": 0}, provenance={"numpy": scale}) for scale in ("mse", "max")]
    made = [replace(NET, record=record) for record in records]
    found = diff(*made)
    assert found.same
    assert [change.where for change in found.settings] == ["setting scale", "version of numpy"]
    assert "the same network" in found.summary()


def test_a_network_is_itself() -> None:
    assert diff(NET, NET).same
    assert repr(diff(NET, NET)) == "<Drift: the same network>"
    assert repr(diff(NET, replace(NET, timesteps=8))) == "<Drift: network changed>"
    many = tuple(Change(name, "vth", "2 -> 4") for name in "aabcde")
    assert repr(Drift(many, ())) == "<Drift: a, b, c and 2 more changed>"


def test_kinds_and_types_count() -> None:
    floats = replace(NET, connections=(replace(NET.connections[0], map=Dense(FIRST.weight.astype(np.int64))), NET.connections[1]))
    assert diff(NET, floats).changes[0].how == "int32 -> int64"
    with pytest.raises(InvalidModel, match=r"second network: .* is no spiking network"):
        diff(NET, "x")  # type: ignore[arg-type]


def test_numbers_that_look_alike_have_all_their_digits() -> None:
    made = [replace(NET, populations=(INPUT, HIDDEN, replace(OUT, scale=scale))) for scale in (20704.41, 20704.42)]
    assert diff(*made).changes[0].how == "20704.41 -> 20704.42"


def test_last_functions_are_compared_by_what_they_hold() -> None:
    """They hold arrays and do not compare; each load makes new ones."""
    ends = [replace(OUT, ending=(Softmax(0), Rescale(np.full(1, float(f)), np.zeros(1)))) for f in (2, 2, 3)]
    made = [replace(NET, populations=(INPUT, HIDDEN, end)) for end in ends]
    assert diff(made[0], made[1]).same
    assert [tuple(change) for change in diff(made[0], made[2]).changes] == [("out", "ending[1].scale", "1 of 1 values, by up to 1")]
    assert not diff(NET, made[0]).same
