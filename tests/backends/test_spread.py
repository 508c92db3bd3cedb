"""Slices over a cluster: the same recording whatever the cut, and what becomes of slices that fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import loihiconv as lc
from loihiconv.backends import spread
from loihiconv.backends.backend import RunOptions
from loihiconv.backends.simulators import EMULATOR, FLOAT
from loihiconv.backends.slices import run_in_slices, samples_done, slice_size
from loihiconv.backends.spread import balanced_size, run_on_cluster
from loihiconv.core.errors import BackendFailed, BackendUnavailable, InvalidSetting
from loihiconv.core.fingerprints import fingerprint
from tests.clustered import Broken, OnBoard
from tests.lava.small import chain

X = np.random.default_rng(0).integers(0, 256, (23, 4))
POISSON = replace(chain(), populations=(replace(chain().populations[0], coding="poisson"), *chain().populations[1:]))
EVERYTHING = RunOptions(record=frozenset({"spikes", "potentials", "residuals"}))


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "FEWEST", {False: 5, True: 5})


def test_results_do_not_depend_on_the_cut(cluster: Any) -> None:
    """Random spikes are addressed by sample, so that no slice, worker or order shows."""
    whole = fingerprint(EMULATOR.run(POISSON, X, replace(EVERYTHING, first=7)))

    @settings(max_examples=6)
    @given(st.integers(1, 23))
    def check(size: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(spread, "balanced_size", lambda *_: size)
            seen: list[tuple[int, int]] = []
            options = replace(EVERYTHING, first=7, progress=lambda done, total: seen.append((done, total)))
            assert fingerprint(run_on_cluster(EMULATOR, POISSON, X, options, cluster)) == whole
        assert seen[-1] == (23, 23)
        assert len(seen) == -(-23 // size)

    check()


@pytest.mark.usefixtures("_small")
def test_slices_that_fail(cluster: Any, tmp_path: Path) -> None:
    """What fails once is tried again; what fails thrice is named, while the others go on and are kept."""
    folder, diary = tmp_path / "kept", tmp_path / "diary"
    diary.mkdir()
    backend = Broken(diary=str(diary), always=frozenset({5, 20}), once=frozenset({10}))
    with pytest.raises(BackendFailed) as caught:
        run_on_cluster(backend, POISSON, X, EVERYTHING, cluster, folder)
    message = str(caught.value)
    assert "samples 5 to 9 (no more)" in message
    assert "samples 20 to 22 (no more)" in message
    assert "15 of 23 samples are finished and kept" in message
    assert {path.name: len(path.read_text()) for path in diary.iterdir()} == {"0": 1, "5": 3, "10": 2, "15": 1, "20": 3}
    assert samples_done(folder) == {"": 15}
    recording = run_in_slices(EMULATOR, POISSON, X, EVERYTHING, folder)
    assert fingerprint(recording) == fingerprint(EMULATOR.run(POISSON, X, EVERYTHING))


def test_deadlines_and_boards(cluster: Any) -> None:
    with pytest.raises(BackendFailed, match=r"did not finish within 1e-09 s; 0 of 23 samples were done"):
        run_on_cluster(EMULATOR, POISSON, X, replace(EVERYTHING, deadline=1e-9), cluster)
    with pytest.raises(BackendUnavailable, match="its workers are no jobs of SLURM's"):
        run_on_cluster(OnBoard(), POISSON, X, EVERYTHING, cluster)
    for named in ({"partition": "kp"}, {"node": "og-1"}, {"host": "10.0.0.1"}):
        with pytest.raises(InvalidSetting, match="on a cluster it is that of each job"):
            run_on_cluster(OnBoard(), POISSON, X, replace(EVERYTHING, access=lc.BoardAccess(**named)), cluster)  # type: ignore[arg-type]


def test_comparisons(cluster: Any) -> None:
    from torch import nn

    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).eval()
    x, y = (X / 255).astype(np.float32), np.arange(23) % 2
    net = lc.convert(model, x, board="kapoho_point", timesteps=4)
    assert lc.compare(model, net, (x, y), cluster=cluster).to_json() == lc.compare(model, net, (x, y)).to_json()


@pytest.mark.lava
@pytest.mark.usefixtures("lava_python")
def test_lava_under_workers_is_the_emulator(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of Lava's runs at a time, each in processes of its own."""
    monkeypatch.setattr(spread, "FEWEST", {False: 2, True: 2})
    net = chain(weight=3)
    net = replace(net, populations=(replace(net.populations[0], coding="poisson"), *net.populations[1:]))
    spread_out = lc.run(net, X[:4], "lava", ["spikes", "potentials"], cluster=cluster)
    whole = lc.run(net, X[:4], "emulator", ["spikes", "potentials"])
    assert fingerprint(replace(spread_out, backend="emulator")) == fingerprint(whole)


def test_how_many_samples_a_slice_has() -> None:
    most = slice_size(EMULATOR, chain(), EVERYTHING)
    assert most == 4096
    assert balanced_size(EMULATOR, chain(), EVERYTHING, 10**6, 4) == balanced_size(FLOAT, chain(), EVERYTHING, 100, 4) == most
    assert balanced_size(EMULATOR, chain(), EVERYTHING, 1001, 5) == 51
    assert balanced_size(EMULATOR, chain(), EVERYTHING, 100, 5) == 32
    assert balanced_size(replace(EMULATOR, judges="emulator"), chain(), EVERYTHING, 100, 5) == 8
    assert balanced_size(OnBoard(), chain(), EVERYTHING, 100, 3) == 34
