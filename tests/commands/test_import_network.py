"""``loihiconv import``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loihiconv as lc
from tests.ann.frontends.netx_files import CUBA, dense, even, write
from tests.exchange.naive_nir import random_graph

nir: Any = pytest.importorskip("nir", reason="the package nir is not installed")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A NIR file and samples for it."""
    graph = random_graph(nir, 13)
    nir.write(tmp_path / "net.nir", graph)
    x = np.random.default_rng(0).random((30, *graph.nodes["in"].input_type["input"]), np.float32)
    np.savez(tmp_path / "x.npz", x_train=x, y_train=np.zeros(30, int))
    return tmp_path / "net.nir", tmp_path / "x.npz"


def test_a_nir_file_for_a_board(run, files: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "net.lnet"
    code, stdout, err = run("import", files[0], "-T", 8, "--calibration", files[1], "--out", out)
    assert code == 0, err
    assert "kapoho_point, T = 8" in stdout
    assert "spikes reset to v_reset, as NIR has it" in " ".join(err.split())
    assert lc.load(out).fixed_point
    code, stdout, _ = run("import", files[0], "-T", 8, "--float", "--reset", "subtract", "--out", out, "--json")
    assert code == 0
    assert json.loads(stdout)["board"] == ""
    assert not lc.load(out).fixed_point


def test_a_network_of_lava_dl(run, tmp_path: Path) -> None:
    path = write(tmp_path / "x.net", dense(even(4, 5), CUBA), dense(even(3, 4), None), steps=9)
    code, stdout, err = run("import", path, "--out", tmp_path / "net.lnet")
    assert code == 0, err
    assert "T = 9" in stdout
    net = lc.load(tmp_path / "net.lnet")
    assert (net.timesteps, net.populations[1].spike_charge(0)) == (9, 80)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--calibration-samples", "0"], "at least 1 expected"),
        (["-T", "0"], "timesteps"),
        (["-T", "4", "--reset", "none"], "reset"),
        (["-T", "4", "--board", "loihi9"], "loihi9"),
        (["-T", "4"], "no calibration data"),
        ([], "the file does not say how many"),
    ],
)
def test_mistakes_are_one_line(run, files: tuple[Path, Path], tmp_path: Path, options: list[str], said: str) -> None:
    code, _, err = run("import", files[0], "--out", tmp_path / "net.lnet", *options)
    assert code == 2
    assert said in err
    assert not (tmp_path / "net.lnet").exists()
