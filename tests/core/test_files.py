"""Files appear whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.files import check_writable, make_folder, replacing, write_json, write_npz, write_text


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


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"x": [1, None]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"x": [1, None]}
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", float("nan"))
    write_npz(tmp_path / "a.npz", {"x": np.arange(3)})
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["x"].tolist() == [0, 1, 2]
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
