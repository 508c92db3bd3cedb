"""Stages of a self-test: what they say, and what it ends with. The worker is none of Lava here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.errors import BackendUnavailable, InvalidSetting
from loihiconv.core.network import Recording
from loihiconv.lava.client import LavaFailed
from loihiconv.lava.expected import Expected
from loihiconv.lava.stages import FOLDER, Stage, chosen, run_stages
from tests.lava.small import chain

X = np.array([[1.0, 0, 2, 3], [255, 255, 0, 0]])
NAMES = ["dense", "reset", "network"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A deployed one, with the same network in all stages."""
    (tmp_path / FOLDER).mkdir()
    network = chain(weight=2)
    expected = Expected.of(X, lc.run(network, X, record=["spikes"]))
    for name in NAMES[:2]:
        lc.save(network, tmp_path / FOLDER / f"{name}.lnet")
        expected.write(tmp_path / FOLDER / f"{name}.npz")
    lc.save(network, tmp_path / "network.lnet")
    expected.write(tmp_path / "selftest.npz")
    return tmp_path


def right(stage: Stage) -> Recording:
    return lc.run(stage.network, stage.expected.x, record=["spikes"])


def wrong(stage: Stage) -> Recording:
    return replace(right(stage), potentials=right(stage).potentials + 1)


def missing(stage: Stage) -> Recording:
    raise BackendUnavailable("no model", where="backend loihi")


def broken(stage: Stage) -> Recording:
    raise LavaFailed("it hangs", where="backend loihi")


@pytest.mark.parametrize(
    ("runs", "code", "passed", "last"),
    [
        ((right, right, right), 0, NAMES, "self-test passed on the board"),
        ((right, wrong, right), 1, ["dense", "network"], "self-test FAILED on the board: reset: population readout: 4 of 4 potentials"),
        ((wrong, right, missing), 1, ["reset"], "self-test FAILED on the board: dense: population readout: 4 of 4 potentials differ"),
        ((right, missing, right), 3, ["dense", "network"], "self-test FAILED on the board: reset: not run: backend loihi: no model"),
        ((right, broken, missing), 1, ["dense"], "self-test FAILED on the board: reset: broke: backend loihi: it hangs"),
        ((missing, right, right), 3, [], "self-test FAILED on the board: dense: not run: backend loihi: no model"),
    ],
)
def test_each_stage_has_a_line_and_the_code_tells(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    runs: tuple[Callable[[Stage], Recording], ...],
    code: int,
    passed: list[str],
    last: str,
) -> None:
    found = run_stages(folder, NAMES, lambda stage: runs[NAMES.index(stage.name)](stage), "the board", " (try this)")
    *lines, end = capsys.readouterr().out.splitlines()
    assert (found, [line.split()[1][:-1] for line in lines if ": passed, " in line]) == (code, passed)
    assert end.startswith(last)
    assert len(lines) == (1 if runs[0] is missing else 3)
    assert all("all spikes are equal (try this)" in line for line in lines if "potentials differ" in line)


def test_stages_run_in_their_order_and_unknown_ones_are_refused() -> None:
    assert chosen(NAMES, None) == NAMES
    assert chosen(NAMES, ["network", "dense"]) == ["dense", "network"]
    with pytest.raises(InvalidSetting, match=r"--stage: no stage 'rest', did you mean 'reset'\?; one of dense, reset, network"):
        chosen(NAMES, ["rest"])
