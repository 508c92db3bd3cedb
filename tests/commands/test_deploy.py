"""``loihiconv deploy``: a folder, and its self-test where a board is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.network import Network
from loihiconv.demo import digits, digits_cnn

ROOT = Path(__file__).parents[2]
lava = pytest.mark.lava


@pytest.fixture(scope="module")
def net() -> Network:
    return lc.convert(digits_cnn(), digits()[0][:200], board="kapoho_point", timesteps=8)


def test_the_command_line(net, tmp_path):
    lc.save(net, tmp_path / "net.lnet")
    np.savez(tmp_path / "data.npz", x_test=digits()[2][:3])
    command = [
        sys.executable,
        "-m",
        "loihiconv.commands.app",
        "deploy",
        "net.lnet",
        "--samples",
        "data.npz",
        "--out",
        "b",
        "--realization",
        "lif",
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "LOIHICONV_LAVA_PYTHON": "/nowhere/python"}
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found.pop("why"), found.pop("cost")["corrected"]) == ("it was asked for", False)
    assert found == {"path": "b", "realization": "lif", "samples": 3, "board_ready": False, "selftest": None}
    again = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert again.returncode == 2
    assert "exists" in again.stderr


@lava
def test_where_a_board_is_within_reach_the_selftest_runs_at_once(net, tmp_path, diary):
    lc.save(net, tmp_path / "net.lnet")
    np.savez(tmp_path / "data.npz", x_test=digits()[2][:1])
    command = [
        sys.executable,
        "-m",
        "loihiconv.commands.app",
        "deploy",
        "net.lnet",
        "--samples",
        "data.npz",
        "--slurm",
        "oheogulch",
        "--realization",
        "atrlif",
        "--out",
        "b",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "self-test passed on the board" in done.stdout
    assert '"PARTITION": "oheogulch"' in diary.read_text()
