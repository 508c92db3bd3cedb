"""One door for files of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loihiconv.core.errors import InvalidData, InvalidModel, InvalidSetting
from loihiconv.exchange.importing import import_network
from tests.ann.frontends.netx_files import CUBA, SDNN, dense, even, write
from tests.exchange.naive_nir import random_graph

nir: Any = pytest.importorskip("nir", reason="the package nir is not installed")


def test_what_a_file_holds_decides(tmp_path: Path) -> None:
    nir.write(tmp_path / "x.h5", random_graph(nir, 2))
    assert not import_network(tmp_path / "x.h5", timesteps=4).fixed_point
    spiking = write(tmp_path / "y.h5", dense(even(4, 5), CUBA), steps=9)
    net = import_network(spiking, board="kapoho_point")
    assert (net.fixed_point, net.timesteps, net.board) == (True, 9, "kapoho_point")
    entry = {"type": "input", "shape": np.array([5]), "neuron": SDNN}
    relus = write(tmp_path / "z.h5", entry, dense(even(4, 5), SDNN), dense(even(3, 4), SDNN))
    x = np.random.default_rng(0).random((30, 5), np.float32)
    net = import_network(relus, calibration=x, board="kapoho_point")
    assert net.record.settings["timesteps"] == 32
    with pytest.raises(InvalidData, match="a sigma-delta network is converted, which takes training samples"):
        import_network(relus)
    for given in ({"reset": "zero"}, {"spike_bits": 2}, {"dt": 1.0}):
        with pytest.raises(InvalidSetting, match="only what NIR leaves open can be given"):
            import_network(spiking, **given)


def test_other_files(tmp_path: Path) -> None:
    (tmp_path / "x.nir").write_bytes(b"nothing")
    with pytest.raises(InvalidModel, match="holds neither; a NIR graph"):
        import_network(tmp_path / "x.nir")
    with pytest.raises(InvalidModel, match="no such file"):
        import_network(tmp_path / "y.nir")
