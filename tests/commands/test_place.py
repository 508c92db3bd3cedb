from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from loihiconv.core.network import Network, save
from tests.hardware.test_energy import network


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    net, path = network(), tmp_path / "net.lnet"
    save(net, path)
    return path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "loihiconv.commands.app", "place", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_place_on_the_command_line(saved: Path, tmp_path: Path):
    done = run(saved, "--board", "nahuku32", "--json", "--svg", tmp_path / "board.svg")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"cores", "chips", "bound", "violations", "layers"} <= found.keys()
    assert (found["cores"], found["chips"], found["bound"], found["violations"]) == (1, 1, 1, [])
    core = found["layers"][1]["cores"][0]
    assert (core["neurons"], core["compartments"]) == (8, 16)
    assert 0 < core["utilisation"] < 1
    ElementTree.parse(tmp_path / "board.svg")


def test_the_gap_to_the_bound_is_printed(saved: Path):
    done = run(saved, "--picture")
    assert done.returncode == 0, done.stderr
    assert "1 core on 1 of 8 chips, 0 above the bound" in done.stdout
    assert "synapse memory 1" in done.stdout
    assert "chip 0" in done.stdout


def test_what_does_not_fit_ends_with_code_2(tmp_path: Path):
    net, path = network(), tmp_path / "net.lnet"
    large = [type(p)(**{**vars(p), "vth": 257}) if p.name == "b" else p for p in net.populations]
    save(Network(tuple(large), net.connections, 4, fixed_point=True, board="nahuku8"), path)
    done = run(path)
    assert done.returncode == 2
    assert "b: vth mantissa bits 9, limit 8" in done.stdout


def test_time_and_energy_of_samples(saved: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x_test=np.ones((2, 1, 2, 2), np.float32))
    done = run(saved, "--energy", tmp_path / "x.npz", "--samples", 1)
    assert done.returncode == 0, done.stderr
    assert "a sample of 10 steps, estimated" in done.stdout
    assert "range from pre-silicon figures" in done.stdout
    done = run(saved, "--board", "kapoho_point", "--energy", tmp_path / "x.npz", "--json")
    found = json.loads(done.stdout)["energy"]
    assert (found["counts"]["spikes"], found["yardstick"]["network"]) == (40, "PilotNet (LIF)")
    done = run(saved, "--board", "kapoho_point", "--energy", tmp_path / "x.npz", "--engine", "sanafe")
    assert (done.returncode, done.stdout) == (2, "")
    assert "sanafe: SANA-FE has no figures for Loihi 2" in " ".join(done.stderr.split())
