"""Files with right checksums that hold no network that can run are refused in one line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from loihiconv.core import lnet
from loihiconv.core.artifact import load
from loihiconv.core.dataclass_json import Malformed, decode, encode
from loihiconv.core.errors import ArtifactError
from loihiconv.core.linear import Conv, Dense, Sparse
from loihiconv.core.network import IF, Connection, Input, Network, Readout

ZERO = np.zeros(1, np.int32)


def network() -> Network:
    hidden = IF("hidden", (2,), 20, ZERO, ZERO)
    source = Input("input", (3,), scale=1.0, payload_max=255)
    maps = (
        Connection("input", "hidden", Dense(np.array([[2, -4, 6], [8, 10, -12]], np.int32))),
        Connection("hidden", "out", Dense(np.array([[2, -2]], np.int32))),
    )
    return Network((source, hidden, Readout("out", (1,), ZERO, ZERO)), maps, 4, fixed_point=True, board="kapoho_point")


def with_hidden(**changes: object) -> Network:
    made = network()
    return replace(made, populations=(made.input, replace(made["hidden"], **changes), made.readout))  # type: ignore[arg-type]


def with_weight(weight: int) -> Network:
    made = network()
    forged = made.connections[0].map.weight.copy()
    forged[0, 0] = weight
    return replace(made, connections=(replace(made.connections[0], map=Dense(forged)), made.connections[1]))


def test_what_can_run_is_loaded(tmp_path: Path) -> None:
    lnet.write(network(), tmp_path / "net.lnet")
    assert load(tmp_path / "net.lnet").timesteps == 4


@pytest.mark.parametrize(
    "forged",
    [
        with_hidden(vth=-5),
        with_hidden(vth=2**17),
        with_hidden(v_init=np.array([2**30], np.int32)),
        with_hidden(bias=np.array([524161], np.int32)),
        with_weight(3),
        with_weight(300),
    ],
)
def test_what_cannot_is_refused(forged: Network, tmp_path: Path) -> None:
    lnet.write(forged, tmp_path / "net.lnet")
    with pytest.raises(ArtifactError, match=r"net\.lnet: holds no network that can run: (hidden|input->hidden): ") as caught:
        load(tmp_path / "net.lnet")
    assert "\n" not in str(caught.value)
    assert caught.value.limit
    assert f"; {caught.value.limit}; convert again" in str(caught.value)


def sparse_network(rows: list[int]) -> Network:
    made = network()
    linear = Sparse(np.array([2, -4], np.int32), np.array(rows, np.int32), np.array([2, 0], np.int32), (2,), (3,))
    return replace(made, connections=(replace(made.connections[0], map=linear, weight_exp=-1), made.connections[1]))


def test_sparse_maps_come_back_as_they_were(tmp_path: Path) -> None:
    made = sparse_network([0, 1])
    made.save(tmp_path / "sparse.lnet")
    linear, before = load(tmp_path / "sparse.lnet").connections[0].map, made.connections[0].map
    assert isinstance(linear, Sparse)
    assert isinstance(before, Sparse)
    assert (linear.outputs, linear.inputs) == ((2,), (3,))
    for name in ("weight", "rows", "columns"):
        np.testing.assert_array_equal(getattr(linear, name), getattr(before, name))
        assert getattr(linear, name).dtype == np.int32
    with pytest.raises(Malformed, match="unknown kind 'Sparse'; Dense or Conv expected"):  # as those say that know the other two alone
        decode({"class": "OldConnection", "map": {"class": "Sparse"}}, OldConnection, "connection", {})


@dataclass(frozen=True)
class OldConnection:
    """A class that a reader without sparse maps has."""

    map: Dense | Conv


def test_synapses_out_of_place_are_refused() -> None:
    made = sparse_network([0, 1])
    object.__setattr__(made.connections[0].map, "rows", np.array([1, 0], np.int32))
    arrays: dict[str, np.ndarray] = {}
    description = encode(made, "", arrays)
    with pytest.raises(Malformed, match="input->hidden: synapses are not sorted"):
        decode(description, Network, "network", arrays)
