"""A deployed folder: made on one path and run on another, by an interpreter that has nothing but numpy and Lava."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.backends import deploy as deploying
from loihiconv.backends.deploy import deploy
from loihiconv.core.errors import InvalidData, InvalidSetting, LimitExceeded
from loihiconv.core.linear import Dense
from loihiconv.core.network import Network
from loihiconv.demo import digits, digits_cnn
from loihiconv.lava.chip.settings import BoardAccess
from tests.lava.small import chain

h5py = pytest.importorskip("h5py", reason="h5py is not installed")
ROOT = Path(__file__).parents[2]
lava = pytest.mark.lava
ALONE = ("--stage", "network")
HEAVY = ("torch", "numba", "pydantic", "yaml", "typer", "rich", "safetensors")
BLOCKER = f"""
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {HEAVY}:
            raise ImportError(f"{{name}} is not on the board's host")

sys.meta_path.insert(0, Blocker())
"""
OFFLINE = re.compile("NewConnectionError|ConnectTimeout|ProxyError|Temporary failure in name resolution|dns error|error sending request")


@pytest.fixture(scope="module")
def net() -> Network:
    return lc.convert(digits_cnn(), digits()[0][:200], board="kapoho_point", timesteps=8)


@pytest.fixture(scope="module")
def made(net: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that was made in one place and now lies in another."""
    there = tmp_path_factory.mktemp("there") / "bundle"
    done = deploy(net, digits()[2], there, realization="lifreset", samples=2)
    assert (done.folder, done.realization, done.samples) == (there, "lifreset", 2)
    assert [p.name for p in there.parent.iterdir()] == ["bundle"]
    here = tmp_path_factory.mktemp("another place") / "elsewhere"
    shutil.move(there, here)
    return here


@pytest.fixture
def bare(tmp_path: Path, lava_python: str) -> dict[str, str]:
    """The environment of a host: an interpreter with Lava that has no torch, and nothing of this checkout."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(BLOCKER)
    clean = {k: v for k, v in os.environ.items() if not k.startswith("LOIHICONV_") and k != "NXSDKHOST"}
    return clean | {"PYTHON": lava_python, "PYTHONPATH": str(tmp_path / "site")}


def run_sh(folder: Path, *arguments: object, environment: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(folder / "run.sh"), *map(str, arguments)], capture_output=True, text=True, check=False, env=environment, cwd=cwd
    )


@lava
def test_the_selftest_passes_elsewhere(made, bare, tmp_path):
    before = sorted(made.rglob("*"))
    done = run_sh(made, "selftest", "--simulate", environment=bare, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    stages = ("dense", "convolution", "convolution-payloads", "reset", "network")
    for number, (name, line) in enumerate(zip(stages, done.stdout.splitlines(), strict=False), 1):
        assert re.fullmatch(rf"{number}/5 {name}: passed, ([\d,]+ spikes and )?[\d,]+ potentials of [123] samples? equal", line)
    assert done.stdout.splitlines()[5:] == ["self-test passed on Lava's CPU simulator"]
    assert sorted(made.rglob("*")) == before  # it leaves nothing behind


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("selftest", "--stage", "dens"), "--stage: no stage 'dens', did you mean 'dense'?"),
        (("run", "x.npz", "--samples", -1), "--samples: -1; a number of at least 1 expected"),
        (("run", "x.npz", "--deadline", "nan"), "--deadline: nan; a number above 0 expected"),
        (("measure", "latency", "--steps", 0), "--steps: 0; a number of at least 1 expected"),
        (("measure", "throughput", "--samples", 4), "--samples: 4 samples; 1 to 2, those of the self-test"),
    ],
)
def test_what_means_nothing_is_said_before_a_board_is_looked_for(made, bare, tmp_path, arguments, message):
    done = run_sh(made, *arguments, environment=bare, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {message}")
    assert done.stderr.count("\n") == 1


def test_a_python_that_cannot_run_it(made, bare, tmp_path):
    without = tmp_path / "without"
    without.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    without.chmod(0o755)
    for python, said in ((without, "has no numpy; install requirements.txt"), ("/nowhere/python", "no such program; name a Python 3.10")):
        done = run_sh(made, "selftest", "--simulate", environment=bare | {"PYTHON": str(python), "PYTHONPATH": ""}, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert done.stderr.startswith(f"error: {python}")
        assert said in done.stderr


@lava
def test_samples_of_ones_own(made, net, bare, tmp_path):
    x, y = digits()[2][:4], digits()[3][:4]
    np.savez(tmp_path / "own.npz", x_test=x, y_test=y)
    done = run_sh(made, "run", "own.npz", "--samples", 3, "--out", "result.npz", "--simulate", environment=bare, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    expected = lc.run(net, x[:3], realization="lifreset")
    assert done.stdout.splitlines()[0] == f"predictions: {' '.join(map(str, expected.predictions))}"
    assert done.stdout.splitlines()[1] == f"correct: {(expected.predictions == y[:3]).sum()} of 3"
    with np.load(tmp_path / "result.npz") as result:
        np.testing.assert_array_equal(result["potentials"], expected.potentials)


@lava
def test_lava_dls_own_loader_runs_the_folder(net, bare, netx_python, tmp_path):
    """Every spike, and each file's own changes named."""
    x_train, _, x, y = digits()
    done = deploy(net, x, tmp_path / "folder", y=y, calibration=x_train[:64], lif_ratio=3.0, samples=1)
    assert (done.realization, done.cost.corrected, done.cost.samples) == ("netx", True, 360)
    assert done.cost.after == pytest.approx(done.cost.before, abs=0.03)
    assert str(done.cost) in (done.folder / "README.md").read_text()
    both = ("--stage", "network", "--stage", "reset")
    passed = run_sh(done.folder, "selftest", *both, "--simulate", environment=bare, cwd=tmp_path)
    assert passed.returncode == 0, passed.stdout
    assert [line.split(",")[0] for line in passed.stdout.splitlines()[:2]] == ["1/2 reset: passed", "2/2 network: passed"]
    with h5py.File(done.folder / "network.net", "r+") as file:
        weight = file["layer/1/weight"]
        weight[0, 0, 0, 0] = 254 if weight[0, 0, 0, 0] <= 0 else -254
    failed = run_sh(done.folder, "selftest", *ALONE, "--simulate", environment=bare, cwd=tmp_path)
    assert failed.returncode == 1, failed.stderr
    assert failed.stdout.startswith(f"1/1 network: FAILED (the deployed network): population {net.populations[1].name}: ")


@lava
@pytest.mark.parametrize("index", [0, 1, 2])
def test_one_changed_weight_names_its_population(made, bare, tmp_path, index):
    altered = tmp_path / "altered"
    shutil.copytree(made, altered)
    network = lc.load(altered / "network.lnet")
    connection = network.connections[index]
    weight = connection.map.weight.copy()
    place = np.unravel_index(np.abs(weight).argmax(), weight.shape)
    weight[place] = -254 if weight[place] > 0 else 254
    changed = replace(connection, map=connection.map.with_weight(weight))
    connections = tuple(changed if c is connection else c for c in network.connections)
    lc.save(replace(network, connections=connections), altered / "network.lnet")
    done = run_sh(altered, "selftest", *ALONE, "--simulate", environment=bare, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[1].startswith(f"self-test FAILED on Lava's CPU simulator: network: population {connection.target}: ")
    shown = r"of [\d,]+ spikes differ, the first in step \d+ of sample \d, neuron \(\d+(, \d+)*,?\)\n$"
    hidden = r"its weights or parameters are not those that were deployed, though these samples do not show it\n$"
    assert re.search(shown if index < 2 else f"{shown}|{hidden}", done.stdout)


@lava
def test_without_a_board_nothing_else_runs(made, bare, tmp_path):
    done = run_sh(made, "selftest", environment=bare, cwd=tmp_path)
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("error: backend loihi: no run on a Loihi is possible from here: lava-loihi: not installed")
    assert "--simulate runs the same process graph on a CPU" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@lava
def test_a_damaged_folder_is_one_line(made, bare, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(made, broken)
    (broken / "bundle.json").write_text("{")
    done = run_sh(broken, "selftest", "--simulate", environment=bare, cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "bundle.json: cannot be read" in done.stderr
    shutil.copy(made / "bundle.json", broken)
    (broken / "selftest.npz").write_bytes((made / "selftest.npz").read_bytes()[:100])
    for arguments, said in (
        (ALONE, "selftest.npz: cannot be read"),
        (("--stage", "dens"), "--stage: no stage 'dens', did you mean 'dense'?"),
    ):
        done = run_sh(broken, "selftest", *arguments, "--simulate", environment=bare, cwd=tmp_path)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert said in done.stderr


@lava
@pytest.mark.slow
def test_in_a_fresh_environment(made, bare, tmp_path, lava_python):
    """As the README of the folder says: a virtual environment, its requirements, the self-test."""
    own = tmp_path / "own"
    shutil.copytree(made, own)
    fresh = {k: v for k, v in bare.items() if k not in ("PYTHON", "PYTHONPATH")}
    subprocess.run([lava_python, "-m", "venv", str(own / ".venv")], check=True, env=fresh, capture_output=True)
    python = own / ".venv/bin/python"
    install = [str(python), "-m", "pip", "install", "--retries", "1", "--timeout", "15", "-r", str(own / "requirements.txt")]
    installed = subprocess.run(install, capture_output=True, text=True, env=fresh, check=False)
    if installed.returncode and OFFLINE.search(installed.stdout + installed.stderr):
        pytest.skip("no package index can be reached")
    assert installed.returncode == 0, installed.stderr
    absent = subprocess.run([str(python), "-c", "import torch"], capture_output=True, env=fresh, check=False)
    assert absent.returncode != 0
    done = run_sh(own, "selftest", *ALONE, "--simulate", environment=fresh, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("self-test passed on Lava's CPU simulator\n")


@pytest.mark.parametrize("variable", ["LOIHICONV_LAVA_PYTHON", "LOIHICONV_LAVA_HOME"])
def test_uses_the_python_that_loihiconv_uses_for_lava(made, tmp_path, variable):
    """Which its own error names as a remedy; that of `loihiconv lava install` where python3 has no Lava."""
    for name, answer in (("bin/python", "the one of Lava"), ("path/python3", "another")):
        program = tmp_path / name
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\n[ "$*" = "-c import numpy" ] && exit 0\n[ "$1" = -c ] && exit 1\necho {answer}\n')
        program.chmod(0o755)
    environment = {"PATH": f"{tmp_path / 'path'}:/usr/bin:/bin", "HOME": str(tmp_path)}
    assert run_sh(made, environment=environment, cwd=tmp_path).stdout == "another\n"
    value = tmp_path / "bin/python" if variable.endswith("PYTHON") else tmp_path
    assert run_sh(made, environment=environment | {variable: str(value)}, cwd=tmp_path).stdout == "the one of Lava\n"


def test_what_is_inside(made, net):
    names = {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()}
    assert {"README.md", "bundle.json", "network.lnet", "requirements.txt", "run.sh", "selftest.npz", "loihiconv/lava/worker.py"} <= names
    assert not any("torch" in name or "simulation" in name for name in names)
    network = lc.load(made / "network.lnet")
    assert network.origin is None
    assert network.record.realization.name == "lifreset"
    readme = (made / "README.md").read_text()
    assert "It has never touched\nsilicon." in readme
    assert "$" not in readme.replace("$ ", "")
    access = json.loads((made / "bundle.json").read_text())["access"]
    assert (access["partition"], access["chip"]) == ("kp", "N3C1")  # of Kapoho Point, as nothing else was said
    assert "SLURM, partition kp, chips N3C1" in readme
    text = b"".join((made / name).read_bytes() for name in names)
    assert str(ROOT).encode() not in text  # nothing of where it was made


def test_requirements_are_those_that_are_locked(made):
    locked = dict(
        re.findall(r"^([a-z0-9-]+)==(\S+)(?: ; python_full_version < '3.11')? \\$", (ROOT / "requirements/lock.txt").read_text(), re.M)
    )
    pinned = dict(line.split("==") for line in (made / "requirements.txt").read_text().splitlines() if "==" in line)
    assert pinned == {name: locked[name] for name in pinned}
    assert {"lava-nc", "numpy", "scipy"} <= pinned.keys()


def test_it_appears_whole_or_not_at_all(net, tmp_path, monkeypatch):
    for error in (KeyboardInterrupt, OSError(28, "No space left on device")):

        def broken(*_, error=error):
            raise error

        monkeypatch.setattr(deploying, "save", broken)
        with pytest.raises((KeyboardInterrupt, InvalidSetting)):
            deploy(net, digits()[2], tmp_path / "bundle", samples=1)
        assert list(tmp_path.iterdir()) == []


def test_mistakes_are_named(net, tmp_path):
    x = digits()[2]
    (tmp_path / "there").mkdir()
    with pytest.raises(InvalidSetting, match="there: exists; remove it"):
        deploy(net, x, tmp_path / "there")
    with pytest.raises(InvalidSetting, match="its folder does not exist"):
        deploy(net, x, tmp_path / "no/where")
    with pytest.raises(InvalidSetting, match=r"profile: a folder is not measured when it is written; run its run\.sh measure on the board"):
        deploy(net, x, tmp_path / "a", access=BoardAccess(profile="latency"))
    with pytest.raises(InvalidSetting, match="samples: 0; a number of at least 1"):
        deploy(net, x, tmp_path / "a", samples=0)
    with pytest.raises(InvalidData, match="samples of shape"):
        deploy(net, x[:, :, :4], tmp_path / "a")
    with pytest.raises(LimitExceeded, match=r"does not fit Kapoho Bay.*graded spike bits"):
        deploy(net, x, tmp_path / "a", board="kapoho_bay", realization="native")
    with pytest.raises(LimitExceeded, match=r"realization: ATRLIF is a program .* Loihi 1 has fixed neurons; use \"lif\""):
        deploy(net, x, tmp_path / "a", board="nahuku8", realization="atrlif")
    assert [p.name for p in tmp_path.iterdir()] == ["there"]


def test_loihi_1_gets_neurons_that_it_has(tmp_path):
    net = lc.convert(digits_cnn(), digits()[0][:100], board="nahuku8", timesteps=8)
    done = deploy(net, digits()[2], tmp_path / "bundle", samples=1)
    assert done.realization == "lif"
    assert 'not "netx" or "lifreset": LIFReset is a program for the cores of Loihi 2' in done.why
    assert json.loads((tmp_path / "bundle/bundle.json").read_text())["generation"] == 1


def test_a_small_network_of_dense_layers(tmp_path):
    network = replace(chain(), board="kapoho_point", connections=(chain().connections[0], replace(chain().connections[1])))
    assert isinstance(network.connections[0].map, Dense)
    done = deploy(network, np.ones((1, 4)), tmp_path / "small", realization="native", samples=5)
    assert (done.samples, done.realization) == (1, "native")


def test_what_saturates_is_said_when_it_is_deployed(net: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measure = deploying.measure_cost
    monkeypatch.setattr(deploying, "measure_cost", lambda *given: replace(measure(*given), saturated=("0: potentials saturate",)))
    with pytest.warns(UserWarning, match="0: potentials saturate"):
        done = deploy(net, digits()[2][:2], tmp_path / "bundle", realization="lif", samples=1)
    assert done.cost.to_json()["saturated"] == ("0: potentials saturate",)
    assert "0: potentials saturate" in (done.folder / "README.md").read_text()


def test_a_self_test_without_spikes_is_refused(tmp_path: Path) -> None:
    """Slowed down to an eighth of their rates, neurons do not reach their thresholds in one step."""
    net = lc.convert(digits_cnn(), digits()[0][:100], board="kapoho_bay", timesteps=1, input_coding="rate")
    with pytest.raises(LimitExceeded, match="sends no spike in 1 time steps: a self-test would prove nothing"):
        deploy(net, 0 * digits()[2][:3], tmp_path / "folder", realization="lif")
    assert not list(tmp_path.iterdir())
