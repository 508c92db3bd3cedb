"""Files appear whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from loihiconv.core import lnet
from loihiconv.core.errors import ArtifactError, InvalidSetting
from loihiconv.core.files import check_writable, make_folder, read_bytes, replacing, write_json, write_npz, write_text
from tests.conftest import ROOT


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_what_breaks_off_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def broken() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        broken()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "folder" / "file")
    write_text(link, "λ")
    assert link.is_symlink()
    assert (tmp_path / "folder" / "file").read_bytes() == "λ".encode()


def test_names_of_files_that_are_no_text_are_written(tmp_path: Path) -> None:
    write_text(tmp_path / "a", os.fsdecode(b"caf\xe9.npz: no such file"))
    assert (tmp_path / "a").read_text() == "caf\\udce9.npz: no such file"


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"x": [1, None]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"x": [1, None]}
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", float("nan"))
    write_npz(tmp_path / "a.npz", {"x": np.arange(3)})
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["x"].tolist() == [0, 1, 2]
    write_npz(tmp_path / "a.npz", {"x/y": np.arange(3)}, compressed=True)
    with np.load(tmp_path / "a.npz") as arrays:
        assert {name: values.tolist() for name, values in arrays.items()} == {"x/y": [0, 1, 2]}
    make_folder(tmp_path / "new" / "folder")
    make_folder(tmp_path / "new" / "folder")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.npz", "new"]


def test_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    check_writable(tmp_path / "fine")
    for path, message in ((tmp_path / "no" / "file", "its folder does not exist"), (tmp_path, "is a folder")):
        with pytest.raises(InvalidSetting, match=message):
            check_writable(path)
        with pytest.raises(InvalidSetting, match=f"{path.name}: cannot be written: "):
            write_text(path, "")
    (tmp_path / "file").touch()
    with pytest.raises(InvalidSetting, match="file: cannot be written: File exists"):
        make_folder(tmp_path / "file")


@pytest.mark.parametrize("compressed", [False, True])
def test_a_full_disk_leaves_nothing_and_says_no_more(tmp_path: Path, compressed: bool) -> None:
    """A process that cannot write more than some bytes to a file: one line, and no complaint of Python's about an archive left open."""
    program = f"""
import resource, signal, sys
from pathlib import Path
import numpy as np
from loihiconv.core import lnet
from loihiconv.core.errors import ArtifactError, InvalidSetting
from loihiconv.core.files import new_folder, write_npz
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
values = np.random.default_rng(0).random(2000)
for path in (Path("a.npz"), Path("folder")):
    try:
        if path.suffix:
            write_npz(path, {{"x": values}}, compressed={compressed})
        else:
            with new_folder(path) as inside:
                write_npz(inside / "a.npz", {{"x": values}}, compressed={compressed})
    except InvalidSetting as error:
        print(error)
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{name}: cannot be written: File too large" for name in ("a.npz", "folder/a.npz")]
    assert not done.stderr
    assert not list(tmp_path.iterdir())


def test_what_has_no_end_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 2**20)
    assert len(read_bytes(tmp_path / "a")) == len(read_bytes(tmp_path / "a", 2**20)) == 2**20
    with pytest.raises(ValueError, match=r"^larger than 0 MiB$"):
        read_bytes(tmp_path / "a", 2**20 - 1)
    if Path("/dev/zero").exists():
        with pytest.raises(ValueError, match=r"^a device, no file$"):
            read_bytes("/dev/zero")
        with pytest.raises(ArtifactError, match=r"^/dev/zero: cannot be read: a device, no file$"):
            lnet.read("/dev/zero", object)
