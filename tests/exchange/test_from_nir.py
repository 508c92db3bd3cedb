"""`loihiconv.from_nir`: what may be given, and a file by sinabs' authors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.errors import InvalidModel, InvalidSetting, LoihiconvError
from tests.exchange.naive_nir import random_graph

nir: Any = pytest.importorskip("nir", reason="the package nir is not installed")

DATA = Path(os.environ.get("LOIHICONV_DATA") or Path.home() / ".cache/loihiconv-data")
SCNN = DATA / "nets/scnn_mnist.nir"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "timesteps: the file does not say how many"),
        ({"timesteps": 0}, "timesteps"),
        ({"timesteps": 4, "reset": "none"}, "reset"),
        ({"timesteps": 4, "input_coding": "ttfs"}, "input_coding"),
        ({"timesteps": 4, "spike_bits": 9}, "spike_bits"),
        ({"timesteps": 4, "dt": 0.0}, "dt = 0"),
        ({"timesteps": 4, "rounding": "up"}, "rounding"),
        ({"timesteps": 4, "seed": -1}, "seed"),
    ],
)
def test_settings_out_of_range(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        lc.from_nir(random_graph(nir, 2), **options)
    assert said in str(caught.value)


def test_a_step_of_another_length_scales_r(tmp_path: Path) -> None:
    graph = nir.NIRGraph.from_list(nir.Linear(np.eye(2)), nir.IF(r=np.full(2, 1000.0), v_threshold=np.ones(2)))
    weights = [lc.from_nir(graph, timesteps=4, dt=dt).connections[0].map.weight[0, 0] for dt in (None, 1e-3)]
    np.testing.assert_allclose(weights, [1000, 1])


def test_what_is_no_file() -> None:
    with pytest.raises(InvalidModel, match="no such file"):
        lc.from_nir("nowhere.nir", timesteps=4)


@pytest.mark.skipif(not SCNN.is_file(), reason=f"{SCNN} is not there; python benchmarks/get_data.py nir fetches it")
def test_a_network_for_n_mnist_by_sinabs_authors() -> None:
    net = lc.from_nir(SCNN, timesteps=10)
    assert [p.shape for p in net.populations] == [(2, 34, 34), (16, 16, 16), (16, 16, 16), (8, 8, 8), (256,), (10,), (10,)]
    assert all(getattr(p, "reset", "subtract") == "subtract" for p in net.populations)
    assert "the file has no v_reset" in net.record.notes[0]
    with pytest.raises(LoihiconvError):
        lc.from_nir(SCNN)
