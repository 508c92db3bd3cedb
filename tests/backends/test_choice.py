"""Which realization holds a network, and why the others do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihiconv.backends.choice import choose
from loihiconv.core.errors import LimitExceeded
from loihiconv.core.linear import Dense
from loihiconv.core.network import Connection, Network
from loihiconv.hardware.board import load_board
from tests.lava.small import chain

BOARD = load_board("kapoho_point")
X = np.array([[1.0, 0, 2, 3]])


def zero() -> Network:
    return replace(chain(reset="zero", bias=64), board="kapoho_point")


def test_lava_dls_own_loader_comes_first() -> None:
    pytest.importorskip("h5py", reason="h5py is not installed")
    chosen, why = choose(zero(), BOARD, X, {"board": BOARD})
    assert (chosen.name, why) == ("netx", "lava-dl's own loader, which Intel has tested on chips, takes it")


def test_what_it_does_not_take_is_said() -> None:
    skip = Connection("input", "readout", Dense(np.full((2, 4), 2, np.int32)))
    chosen, why = choose(replace(zero(), connections=(*zero().connections, skip)), BOARD, X, {"board": BOARD})
    assert chosen.name == "lifreset"
    assert 'not "netx": readout: 2 connections lead to it' in why
    chosen, why = choose(replace(zero(), timesteps=12), BOARD, X, {"board": BOARD})
    assert chosen.name == "lif"
    assert 'not "netx" or "lifreset": T = 12' in why
    assert "8 or 16" in why
    assert why.count("T = 12") == 1


def test_where_none_holds_it() -> None:
    with pytest.raises(LimitExceeded, match=r"hidden: resets by subtraction; .* origin"):
        choose(replace(chain(), board="kapoho_point"), BOARD, X, {"board": BOARD})


def test_without_h5py(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loihiconv.backends.choice.find_spec", lambda _: None)
    chosen, why = choose(zero(), BOARD, X, {"board": BOARD})
    assert chosen.name == "lifreset"
    assert "h5py, which writes its file, is not installed" in why
    why = choose(replace(zero(), timesteps=12), BOARD, X, {"board": BOARD})[1]
    assert "h5py" not in why  # it would not have helped
