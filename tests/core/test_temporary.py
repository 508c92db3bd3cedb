"""Whose a temporary folder is, and that only those are removed whose owner has certainly ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from loihiconv.core import temporary
from loihiconv.core.temporary import MARK, Owner, make_temporary, remove_temporary, started, sweep
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not say when a process began")
ENDS = "import os; from loihiconv.core.temporary import make_temporary; print(make_temporary('lava'), flush=True); os.kill(os.getpid(), 9)"
NAMES = """
import sys
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from loihiconv.core.temporary import name_shared_memory
name_shared_memory(Path(sys.argv[1]))
memory = SharedMemory(create=True, size=8)
print(memory.name)
memory.close()
memory.unlink()
"""


def test_who_is_gone() -> None:
    here = Owner.this()
    assert not here.gone(here)
    assert started(here.pid) == here.start
    ended = subprocess.Popen([sys.executable, "-c", ""])
    other = replace(here, pid=ended.pid, start=started(ended.pid) or "")
    assert ended.wait() == 0
    assert other.gone(here)
    assert replace(here, start="1").gone(here)  # its number belongs to another process now
    assert replace(here, boot="before").gone(here)
    for unknown in (
        replace(here, machine="another", boot="before"),
        replace(here, boot=""),
        replace(other, processes="pid:[1]"),
        replace(other, machine="another"),
    ):
        assert not unknown.gone(here)
    assert not other.gone(replace(here, boot=""))


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", ENDS], env=environment, stdout=subprocess.PIPE, text=True, check=False)
    left = Path(done.stdout.strip())
    monkeypatch.setattr(temporary, "_SHARED", tmp_path)
    names = temporary.shared_names(left)
    (tmp_path / f"{names}012345").touch()
    (tmp_path / "psm_01234567").touch()
    scratch, elsewhere = tmp_path / "pymp-1", tmp_path / "kept"
    for folder in (scratch, elsewhere):
        folder.mkdir()
        (folder / "x").touch()
    (left / temporary.SCRATCH).symlink_to(scratch)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = make_temporary("lava")  # looks round first
    assert not left.exists()
    assert not scratch.exists()
    assert not (tmp_path / f"{names}012345").exists()
    assert temporary.shared_names(left.with_name(f"{left.name}-gone")) == names != temporary.shared_names(folder)
    assert (folder / MARK).is_file()
    (folder / temporary.SCRATCH).symlink_to(elsewhere)
    remove_temporary(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "psm_01234567"]
    assert (elsewhere / "x").exists()


def test_nothing_else_is_removed(tmp_path: Path) -> None:
    gone = json.dumps(asdict(replace(Owner.this(), start="1")))
    real = tmp_path / "real"
    marks = {
        "loihiconv-lava-mine": json.dumps(asdict(Owner.this())),
        "loihiconv-lava-broken": gone[:-5],
        "loihiconv-lava-other": '{"pid": 1}',
        "loihiconv-lava-types": json.dumps({**json.loads(gone), "pid": "1"}),
        "loihiconv-lava-list": "[]",
        "another-tool": gone,
        "loihiconv-lava-open": gone,
        "real": gone,
    }
    for name, mark in marks.items():
        (tmp_path / name).mkdir(mode=0o700)
        (tmp_path / name / MARK).write_text(mark)
    (tmp_path / "loihiconv-lava-open").chmod(0o777)  # anyone may have written that
    (tmp_path / "loihiconv-lava-link").symlink_to(real)
    (tmp_path / "loihiconv-lava-none").mkdir(mode=0o700)
    (tmp_path / "loihiconv-file").write_text(gone)
    before = sorted(tmp_path.rglob("*"))
    assert sweep(tmp_path) == []
    assert sorted(tmp_path.rglob("*")) == before
    (tmp_path / "loihiconv-lava-open").chmod(0o700)
    assert sweep(tmp_path) == [tmp_path / "loihiconv-lava-open"]
    assert sweep(tmp_path / "nowhere") == []


def test_shared_memory_has_its_folder_s_name(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", NAMES, str(tmp_path)], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.startswith(temporary.shared_names(tmp_path))
    assert len(done.stdout.strip()) == 13


def test_a_link_to_what_is_not_this_users_alone_is_not_followed(tmp_path: Path) -> None:
    folder, own, shared = tmp_path / "loihiconv-x", tmp_path / "pymp-own", tmp_path / "pymp-shared"
    for scratch, mode, left in ((own, 0o700, False), (shared, 0o770, True)):
        folder.mkdir()
        scratch.mkdir()
        scratch.chmod(mode)
        (folder / temporary.SCRATCH).symlink_to(scratch)
        remove_temporary(folder)
        assert not folder.exists()
        assert scratch.exists() == left
