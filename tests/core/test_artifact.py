"""Files with right checksums that hold no network that can run are refused in one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from loihiconv.core import lnet
from loihiconv.core.artifact import load
from loihiconv.core.errors import ArtifactError
from loihiconv.core.linear import Dense
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
