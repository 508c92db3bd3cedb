"""Runs that are cut off say how far they came and what to type, and that goes on with the same bytes in the end."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from loihiconv.backends import slices
from loihiconv.backends.simulators import Emulator
from loihiconv.lava.client import LavaFailed


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Slices of 50 samples; the one from sample 150 on meets what is to be done there, once."""
    monkeypatch.setattr(slices, "FEWEST", 50)
    monkeypatch.setattr(slices, "MOST", 50)
    real = Emulator.run

    def at_150(what: Any) -> None:
        def run(self: Emulator, network: Any, x: Any, options: Any) -> Any:
            if options.first == 150:
                monkeypatch.setattr(Emulator, "run", real)
                what()
            return real(self, network, x, options)

        monkeypatch.setattr(Emulator, "run", run)

    return at_150


def fails() -> None:
    raise LavaFailed("broke")


@pytest.mark.parametrize(
    ("what", "code"),
    [(lambda: os.kill(os.getpid(), signal.SIGINT), 130), (lambda: os.kill(os.getpid(), signal.SIGTERM), 143), (fails, 2)],
)
def test_run_goes_on_with_the_same_bytes(run, npz: Path, lnet: Path, tmp_path: Path, cut: Any, what: Any, code: int) -> None:
    command = ["run", lnet, npz, "--samples", "330", "--out"]
    assert run(*command, tmp_path / "whole.npz")[0] == 0
    cut(what)
    out = tmp_path / "a b.npz"
    found, _, err = run(*command, out)
    said = " ".join(err.split())
    assert found == code
    assert f"150 of 330 samples are kept in {out}.part; to go on: loihiconv run" in said
    assert said.index("--resume") > said.index(f"'{out}'")
    assert not out.exists()
    found, _, err = run(*command, out)
    assert found == 2
    assert "an unfinished run is kept there; go on with it: --resume; or remove it" in " ".join(err.split())
    found, _, err = run(*command, out, "--resume", "--backend", "float")
    assert found == 2
    assert "of other samples, another network or other options" in " ".join(err.split())
    assert run(*command, out, "--resume")[0] == 0
    assert out.read_bytes() == (tmp_path / "whole.npz").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"whole.npz", "a b.npz"}


def test_a_deadline_keeps_what_is_done(run, npz: Path, lnet: Path, tmp_path: Path, cut: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10**6, 30))
    monkeypatch.setattr(slices.time, "monotonic", lambda: float(next(clock)))
    code, _, err = run("run", lnet, npz, "--out", tmp_path / "out.npz", "--deadline", "100")
    assert code == 2
    assert "did not finish within 100 s; 150 of" in " ".join(err.split())
    assert "150 of 360 samples are kept" in " ".join(err.split())


def test_compare_goes_on_too(run, npz: Path, lnet: Path, tmp_path: Path, cut: Any) -> None:
    command = ["compare", "loihiconv.demo:digits_cnn", npz, "--net", lnet, "--json"]
    whole = run(*command)[1]
    cut(lambda: os.kill(os.getpid(), signal.SIGTERM))
    code, _, err = run(*command, "--keep", tmp_path / "kept")
    assert code == 143
    assert "150 of 360 samples in emulator and 360 of 360 samples in float are kept" in " ".join(err.split())
    code, out, _ = run(*command, "--keep", tmp_path / "kept", "--resume")
    assert (code, out) == (0, whole)
    assert not (tmp_path / "kept").exists()


def test_what_cannot_be_resumed(run, npz: Path, lnet: Path, tmp_path: Path) -> None:
    code, _, err = run("run", lnet, npz, "--resume")
    assert code == 2
    assert "--resume: nothing is kept to go on with; name what is written" in " ".join(err.split())
    (tmp_path / "out.npz.part").touch()
    assert "is no folder" in run("run", lnet, npz, "--resume", "--out", tmp_path / "out.npz")[2]
    (tmp_path / "out.npz.part").unlink()
    assert run("run", lnet, npz, "--samples", "3", "--resume", "--out", tmp_path / "out.npz")[0] == 0  # nothing is there: it begins
    shutil.rmtree(tmp_path / "out.npz.part", ignore_errors=True)
    assert "folder does not exist" in run("compare", "a:b", npz, "--keep", tmp_path / "none" / "kept")[2]
