"""Whatever dies, hangs or fills up at whatever moment of a run: an error in a line, finished samples kept, and nothing left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext, suppress
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np
import pytest

from loihiconv.backends.run import run
from loihiconv.backends.slices import samples_done
from loihiconv.core.errors import BackendFailed
from loihiconv.core.fingerprints import fingerprint
from loihiconv.core.network import save
from loihiconv.lava import client, faults
from loihiconv.lava.files import append
from tests.conftest import ROOT
from tests.lava.small import chain

lava = pytest.mark.lava


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lava_python: str) -> list[subprocess.Popen[bytes]]:
    """All workers that the test starts, with temporary folders of its own."""
    started: list[subprocess.Popen[bytes]] = []
    start = client._start

    def remembered(job, interpreter):  # type: ignore[no-untyped-def]
        started.append(start(job, interpreter))
        return started[-1]

    (tmp_path / "t").mkdir()
    monkeypatch.setattr(client, "_start", remembered)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "t"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return started


def unowned() -> set[str]:
    """Shared memory that no process has: others run Lava on this machine, too."""
    held = set[str]()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with suppress(OSError):
            held |= {line.rpartition("/")[2].split()[0] for line in maps.read_text().splitlines() if "/dev/shm/" in line}
    return {name for name in os.listdir("/dev/shm") if name.startswith(("psm_", "lc"))} - held


def test_nothing_happens_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(faults.VARIABLE, raising=False)
    faults.reached("write")
    monkeypatch.setenv(faults.VARIABLE, "write:raise:2")
    monkeypatch.setattr(faults, "_passed", Counter())
    faults.reached("sample")
    faults.reached("write")
    with pytest.raises(RuntimeError, match=faults.VARIABLE):
        faults.reached("write")
    mark = tmp_path / "a:mark"
    for number in (1, 2):
        monkeypatch.setenv(faults.VARIABLE, f"sample:raise:{number}:{mark}")
        monkeypatch.setattr(faults, "_passed", Counter())
        with pytest.raises(RuntimeError) if number == 1 else nullcontext():
            faults.reached("sample")
            faults.reached("sample")  # by another process, for which the mark is there
    assert mark.read_text() == str(os.getpid())
    assert list(tmp_path.iterdir()) == [mark]


def test_a_record_that_does_not_fit_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk takes what fits, without an error: 3 of 4 values would shift all that follow."""
    import resource

    append(tmp_path / "whole", np.arange(4))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (24, hard))
    try:
        with pytest.raises(OSError, match="No space left"):
            append(tmp_path / "cut", np.arange(4))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.usefixtures("workers")
def test_a_temporary_folder_without_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(BackendFailed, match="its temporary folder cannot be written: No such file or directory; set TMPDIR"):
        run(chain(), np.ones((1, 4)), "lava")


@lava
@pytest.mark.parametrize(
    ("fault", "said", "kept"),
    [
        ("start:kill", "cannot be used|ended with status -9", 0),
        ("sample:kill:3", "ended by signal 9", 2),
        ("write:full:2", "No space left on device", 1),
        ("sample:hang:4", "^$", 3),
    ],
)
def test_a_fault_costs_what_was_not_finished(workers, tmp_path: Path, monkeypatch, fault: str, said: str, kept: int) -> None:  # type: ignore[no-untyped-def]
    """Hidden neurons and readout write a record for each of 4 samples; the first process that comes to the n-th does what is asked for."""
    x, before = np.ones((4, 4)), unowned()
    monkeypatch.setenv(faults.VARIABLE, fault)

    def enough(done: int, _: int) -> None:
        if done == kept and "hang" in fault:  # by Ctrl-C, as no clock says how long a busy machine takes
            raise KeyboardInterrupt

    with pytest.raises((BackendFailed, KeyboardInterrupt), match=said) as caught:
        run(chain(), x, "lava", keep=tmp_path / "kept", progress=enough)
    assert "\n" not in str(caught.value)
    assert not any(client._group_runs(worker.pid) for worker in workers)
    assert not list((tmp_path / "t").iterdir())
    end = time.monotonic() + 5
    while not unowned() <= before and time.monotonic() < end:  # others make theirs in two steps
        time.sleep(0.1)
    assert unowned() <= before
    assert samples_done(tmp_path / "kept") == {"": kept}
    monkeypatch.delenv(faults.VARIABLE)
    if kept == 2:
        whole = run(chain(), x, "lava", keep=tmp_path / "kept")
        assert fingerprint(replace(whole, backend="emulator")) == fingerprint(run(chain(), x))


@lava
@pytest.mark.parametrize("first", ["worker", "caller"])
def test_preempted_in_the_middle_of_samples(lava_python: str, tmp_path: Path, first: str) -> None:
    """SLURM sends SIGTERM to all processes of a job, in any order: what is finished is kept, and going on gives the same bytes."""
    x, mark, temporary = np.arange(32).reshape(8, 4), tmp_path / "mark", tmp_path / "t"
    temporary.mkdir()
    save(chain(), tmp_path / "net.lnet")
    np.savez(tmp_path / "x.npz", x=x)
    environment = os.environ | {faults.VARIABLE: f"sample:hang:4:{mark}", "TMPDIR": str(temporary)}
    environment |= {"LOIHICONV_LAVA_PYTHON": lava_python, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "loihiconv", "run", "net.lnet", "x.npz", "--backend", "lava", "--resume", "--out"]
    with subprocess.Popen([*command, "cut.npz"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as caller:
        potentials: list[Path] = []
        end = time.monotonic() + 60
        while not (mark.exists() and potentials and potentials[0].stat().st_size == 3 * 4 * prod(chain().readout.shape)):
            potentials = list(temporary.glob("loihiconv-lava-*/potentials.i32"))
            assert caller.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        group = os.getpgid(int(mark.read_text()))
        for victim in (first, "caller" if first == "worker" else "worker"):
            with suppress(ProcessLookupError):
                os.kill(caller.pid, signal.SIGTERM) if victim == "caller" else os.killpg(group, signal.SIGTERM)
        assert "3 of 8 samples are kept in cut.npz.part; to go on:" in " ".join(caller.communicate()[1].split())
    assert caller.returncode in (2, 143)
    assert not list(temporary.iterdir())
    if first == "worker":
        for out in ("cut.npz", "whole.npz"):  # SLURM queues the same again
            subprocess.run([*command, out], cwd=tmp_path, env=environment, check=True)
        assert (tmp_path / "cut.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()
