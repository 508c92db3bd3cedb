"""One place to add a back end: what is registered can be run, compared, listed and asked whether it is there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import loihiconv as lc
from loihiconv.backends import registry
from loihiconv.backends.backend import Availability, Backend, Numbers, Record, RunOptions
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.core.recording import Recording
from loihiconv.demo import digits, digits_cnn
from loihiconv.report.markdown import markdown
from loihiconv.report.page import page
from loihiconv.simulator import simulate

REGISTERED = """
import sys
sys.path.insert(0, {root!r})
from tests.backends.test_registry import Toy
from loihiconv.backends import registry
registry.register(Toy())
from loihiconv.commands.app import app
app(sys.argv[1:])
"""
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Toy:
    """The emulator once more, slow, and strict with the emulator; of its last potential it may be unsure."""

    name: str = "toy"
    title: str = "Toy 1000"
    description: str = "a toy for this test"
    numbers: Numbers = "fixed point"
    records: frozenset[Record] = frozenset({"spikes", "potentials"})
    samples: int | None = 3
    hardware: bool = False
    judges: str = "emulator"
    wrong: int = 0

    def availability(self, *, quick: bool = False) -> Availability:
        return Availability(False, "its spring is broken", "wind it up")

    def run(self, network: Network, x: Array, options: RunOptions) -> Recording:
        result = simulate(network, x, record=options.record, counts=options.counts)
        return replace(result, backend=self.name, potentials=result.potentials + self.wrong)


@pytest.fixture
def toy() -> Iterator[Backend]:
    """A back end that is registered for one test."""
    yield registry.register(Toy())
    registry.unregister("toy")


@pytest.fixture(scope="module")
def net() -> Network:
    """The demo's network, converted."""
    return lc.convert(digits_cnn(), digits()[0], board="kapoho_point", timesteps=8)


def test_run(toy: Backend, net: Network) -> None:
    x = digits()[2][:5]
    recording = lc.run(net, x, "toy", ["spikes"])
    assert recording.backend == "toy"
    np.testing.assert_array_equal(recording.potentials, lc.run(net, x).potentials)
    with pytest.raises(InvalidSetting, match="'toy' runs integers, this network is float"):
        lc.run(net.origin, x, "toy")  # type: ignore[arg-type]
    with pytest.raises(InvalidSetting, match="record: cannot record 'residuals'; toy records potentials, spikes beside"):
        lc.run(net, x, "toy", ["residuals"])


def test_names_are_unique_and_known(toy: Backend, net: Network) -> None:
    with pytest.raises(InvalidSetting, match="unknown back end 'gpu'; one of float, emulator, lava, loihi, toy"):
        lc.run(net, digits()[2][:1], "gpu")
    for taken in ("toy", "lava", "ann"):
        with pytest.raises(InvalidSetting, match=f"there is a back end '{taken}' already"):
            registry.register(Toy(name=taken))
    assert isinstance(toy, Backend)


@pytest.mark.parametrize("wrong", [0, 1])
def test_compare_gives_it_the_samples_that_it_suggests_and_lets_it_judge(net: Network, wrong: int) -> None:
    x, y = digits()[2][:10], digits()[3][:10]
    registry.register(Toy(wrong=wrong))
    try:
        comparison = lc.compare(digits_cnn(), net, (x, y), ["float", "emulator", "toy"], explain=True)
        assert {name: result.n for name, result in comparison.backends.items()} == {"ann": 10, "float": 10, "emulator": 10, "toy": 3}
        assert comparison.judge == "toy"
        assert comparison.mismatched_spikes == {"0": 0, "3": 0, "7": 0}
        assert comparison.mismatched_potentials == 3 * 10 * wrong
        assert comparison.analysis is not None
        assert comparison.analysis.settings["samples in Toy"] == 3
        assert "Toy 1000" in markdown(comparison)
        said = "emulator and Toy 1000 differ" if wrong else "emulator = Toy 1000"
        assert said in page(comparison)
        assert lc.compare(digits_cnn(), net, (x, y), ["toy"], lava_samples=2).backends["toy"].n == 2
    finally:
        registry.unregister("toy")


def test_boards_say_whether_it_is_there(toy: Backend) -> None:
    from loihiconv.commands.app import app  # not above: help texts are made when it is imported, and the next test registers first

    shown = CliRunner().invoke(app, ["boards"]).stdout
    assert "no: its spring is broken" in " ".join(shown.split())
    here = json.loads(CliRunner().invoke(app, ["boards", "--json"]).stdout)["here"]
    assert here["backends"]["toy"] == {"ready": False, "detail": "its spring is broken", "remedy": "wind it up"}
    assert set(here["backends"]) == {"float", "emulator", "lava", "loihi", "toy"}


@pytest.mark.parametrize(("command", "text"), [("run", "toy: a toy for this test"), ("compare", "lava, loihi, toy"), ("compare", "toy 3")])
def test_help_names_it(command: str, text: str) -> None:
    program = REGISTERED.format(root=str(ROOT))
    done = subprocess.run(
        [sys.executable, "-c", program, command, "--help"], capture_output=True, text=True, check=True, cwd=ROOT, env={"COLUMNS": "400"}
    )
    assert text in done.stdout


def test_listing_imports_no_framework() -> None:
    program = (
        "import sys; from loihiconv.backends.registry import backends\n"
        "for b in backends(): print(b.name, b.description)\n"
        "assert 'numpy' not in sys.modules\n"
        "for b in backends(): print(b.availability(quick=True).detail)\n"
        "print({'torch', 'numba', 'lava.magma', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "set()"


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LOIHICONV_LAVA_PYTHON", "/nowhere/python")
    monkeypatch.delenv("NXSDKHOST", raising=False)
    for quick in (True, False):
        lava, loihi = (registry.find(name).availability(quick=quick) for name in ("lava", "loihi"))
        assert (lava.ready, lava.detail) == (False, "LOIHICONV_LAVA_PYTHON: /nowhere/python is no program")
        assert lava.remedy == "name an interpreter in which lava-nc is installed"
        assert not loihi.ready
        assert "/nowhere/python is no program" in loihi.detail
        assert loihi.remedy
    monkeypatch.setenv("LOIHICONV_LAVA_PYTHON", sys.executable)
    assert "neither SLURM (no program sinfo) nor a board's address" in registry.find("loihi").availability(quick=True).detail
    assert "SLURM: no program sinfo" in registry.find("loihi").availability().detail
    monkeypatch.setenv("NXSDKHOST", "board.example")
    assert registry.find("loihi").availability(quick=True).ready
    assert registry.find("emulator").availability().ready
    monkeypatch.setattr("loihiconv.backends.simulators.find_spec", lambda name: None)
    assert registry.find("float").availability() == Availability(False, "torch is not installed", "pip install torch")
