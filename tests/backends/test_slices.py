"""Slices of a run: what is kept when it is cut off, and that going on gives what one run gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.backends import slices
from loihiconv.backends.backend import RunOptions
from loihiconv.backends.simulators import EMULATOR, FLOAT, Emulator
from loihiconv.backends.slices import Slice, run_in_slices, samples_done, slice_size
from loihiconv.core import lnet
from loihiconv.core.errors import ArtifactError, BackendFailed
from loihiconv.core.files import PART
from loihiconv.core.fingerprints import fingerprint
from loihiconv.core.network import Recording
from loihiconv.lava.client import LavaFailed
from tests.lava.small import chain

X = np.random.default_rng(0).integers(0, 256, (23, 4))
EVERYTHING = RunOptions(record=frozenset({"spikes", "potentials", "residuals"}))


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "FEWEST", 5)
    monkeypatch.setattr(slices, "MOST", 5)
    monkeypatch.setattr(slices, "OF_LAVA", 5)


@dataclass(frozen=True)
class Broken(Emulator):
    """An emulator that does something before some of its runs."""

    before: dict[int, Callable[[Any, Any, Any], None]] = field(default_factory=dict)
    ran: list[tuple[int, int]] = field(default_factory=list)

    def run(self, network: Any, x: Any, options: Any) -> Recording:
        self.before.pop(options.first, lambda *_: None)(network, x, options)
        self.ran.append((options.first, len(x)))
        return super().run(network, x, options)


def raises(error: BaseException) -> Any:
    def now(*_: Any) -> None:
        raise error

    return now


@pytest.mark.parametrize("counts", [True, False])
def test_what_is_finished_is_not_run_again(tmp_path: Path, counts: bool) -> None:
    net = replace(chain(), populations=(replace(chain().populations[0], coding="poisson"), *chain().populations[1:]))
    options, seen = replace(EVERYTHING, counts=counts), list[tuple[int, int]]()
    backend, folder = Broken(before={10: raises(KeyboardInterrupt())}), tmp_path / "kept"
    with pytest.raises(KeyboardInterrupt):
        run_in_slices(backend, net, X, options, folder)
    assert samples_done(folder) == {"": 10}
    reported = replace(options, progress=lambda done, total: seen.append((done, total)))
    recording = run_in_slices(backend, net, X, reported, folder)
    assert backend.ran == [(0, 5), (5, 5), (10, 5), (15, 5), (20, 3)]
    assert seen[0][0] > 10
    assert seen[-1] == (23, 23)
    assert fingerprint(recording) == fingerprint(EMULATOR.run(net, X, options))
    assert fingerprint(run_in_slices(backend, net, X, options, folder)) == fingerprint(recording)
    assert len(backend.ran) == 5


def test_partial_results_of_a_back_end_are_kept(tmp_path: Path) -> None:
    """As of Lava, which says what it has finished when it is cut off."""

    def stops(network: Any, x: Any, options: Any) -> None:
        error = LavaFailed("no more")
        error.partial = EMULATOR.run(network, x[:2], options)
        raise error

    backend = Broken(before={5: stops})
    with pytest.raises(LavaFailed):
        run_in_slices(backend, chain(), X, EVERYTHING, tmp_path / "kept")
    assert samples_done(tmp_path / "kept") == {"": 7}
    recording = run_in_slices(backend, chain(), X, EVERYTHING, tmp_path / "kept")
    assert backend.ran[1] == (7, 3)
    assert fingerprint(recording) == fingerprint(EMULATOR.run(chain(), X, EVERYTHING))


def test_the_deadline_is_that_of_all_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(slices, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    with pytest.raises(BackendFailed, match="did not finish within 10 s; 10 of 23 samples were done"):
        run_in_slices(EMULATOR, chain(), X, replace(EVERYTHING, deadline=10), tmp_path / "kept")
    assert samples_done(tmp_path / "kept") == {"": 10}


def test_folders_of_another_run_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    lc.run(chain(), X, keep=folder)
    for call in (
        lambda: lc.run(chain(), X[::-1], keep=folder),
        lambda: lc.run(chain(weight=102), X, keep=folder),
        lambda: lc.run(chain(), X, record=["spikes"], keep=folder),
        lambda: lc.run(chain(), X[:5], keep=folder),
    ):
        with pytest.raises(ArtifactError, match="of other samples, another network or other options"):
            call()
    saved = (folder / "run.json").read_text()
    (folder / "run.json").write_text(saved.replace(lc.__version__, "0.0.0"))
    with pytest.raises(ArtifactError, match="of another version of loihiconv"):
        lc.run(chain(), X, keep=folder)
    name = sorted(folder.glob("*.slice"))[0]
    (folder / "run.json").write_text(saved)
    moved = name.rename(folder / "000000000001-000000000009.slice")
    with pytest.raises(ArtifactError, match=r"slice: holds samples 0 to .*, which is not what its name says; remove it"):
        lc.run(chain(), X, keep=folder)
    moved.rename(name)
    several = tmp_path / "several"
    lc.run(chain(), X, keep=several)
    part = sorted(several.glob("*.slice"))[1]
    held = lnet.read(part, Slice)
    lnet.write(replace(held, recording=replace(held.recording, potentials=held.recording.potentials[:, :1])), part)
    with pytest.raises(ArtifactError, match="slices that were kept do not belong together; remove their folder"):
        lc.run(chain(), X, keep=several)
    (folder / "notes.slice").touch()
    assert samples_done(folder) == {"": len(X)}
    (folder / "notes.slice").unlink()
    for text in ("{}", "[]", "x"):
        (folder / "run.json").write_text(text)
        with pytest.raises(ArtifactError, match="holds no slices of a run"):
            lc.run(chain(), X, keep=folder)
    (folder / "run.json").write_text(saved)
    (damaged := next(iter(sorted(folder.glob("*.slice"))))).write_bytes(damaged.read_bytes()[:-9])
    with pytest.raises(ArtifactError, match="slice: "):
        lc.run(chain(), X, keep=folder)
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match="holds no slices"):
        lc.run(chain(), X, keep=tmp_path / "file")


def test_a_run_that_was_killed_before_its_first_slice_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / f"{PART}0123.tmp").write_text("{")  # of run.json, which was being written
    assert fingerprint(lc.run(chain(), X, keep=folder)) == fingerprint(lc.run(chain(), X))
    assert (folder / "run.json").exists()


def test_comparisons_keep_each_back_end_s(tmp_path: Path) -> None:
    from torch import nn

    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).eval()
    net = lc.convert(model, (X / 255).astype(np.float32), board="kapoho_point", timesteps=4)
    test_set = (X / 255).astype(np.float32), np.arange(23) % 2
    kept = lc.compare(model, net, test_set, keep=tmp_path / "kept")
    assert samples_done(tmp_path / "kept") == {" in emulator": 23, " in float": 23}
    assert kept.to_json() == lc.compare(model, net, test_set).to_json()


def test_how_many_samples_a_slice_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """T = 8, 4 x 3 + 3 x 2 = 18 weights: 144 products for a sample."""
    monkeypatch.setattr(slices, "FEWEST", 2)
    monkeypatch.setattr(slices, "MOST", 20)
    for products, size in ((0, 2), (144 * 7 + 100, 7), (144 * 21, 20)):
        monkeypatch.setattr(slices, "PRODUCTS", products)
        assert slice_size(EMULATOR, chain(), EVERYTHING) == slice_size(FLOAT, chain(), EVERYTHING) == size
    assert slice_size(replace(EMULATOR, hardware=True), chain(), EVERYTHING) > 10**9
    assert slice_size(replace(EMULATOR, judges="emulator"), chain(), EVERYTHING) == 5


@pytest.mark.lava
@pytest.mark.usefixtures("lava_python")
def test_lava_in_slices_is_the_emulator_as_a_whole(tmp_path: Path) -> None:
    net = replace(chain(), populations=(replace(chain().populations[0], coding="poisson"), *chain().populations[1:]))
    recording = lc.run(net, X[:7], "lava", ["spikes", "potentials"], keep=tmp_path / "kept")
    whole = lc.run(net, X[:7], "emulator", ["spikes", "potentials"])
    assert fingerprint(replace(recording, backend="emulator", saturated=())) == fingerprint(replace(whole, saturated=()))
