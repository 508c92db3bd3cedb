"""What a sweep keeps, shared by those that run at the same time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from loihiconv.core.errors import ArtifactError, InvalidSetting
from loihiconv.core.files import replacing
from loihiconv.evaluation.sweep.cache import SweepCache

ROOT = Path(__file__).resolve().parents[3]


def test_sweeps_share_a_folder(tmp_path: Path) -> None:
    one, other = SweepCache(tmp_path / "c"), SweepCache(tmp_path / "c")
    assert one.get("a") is None
    other.put("a", {"x": 1})
    one.put("b", {"x": 2})
    assert one.get("a") == {"x": 1}
    both = SweepCache(tmp_path / "c")
    assert (both.get("a"), both.get("b"), both.get("c")) == ({"x": 1}, {"x": 2}, None)


def test_eight_writers_lose_nothing(tmp_path: Path) -> None:
    """Forked, so that torch is loaded once: each writes 30 points of its own and 10 that all write."""
    program = """
import os, sys
from loihiconv.evaluation.sweep.cache import SweepCache
for k in range(8):
    if os.fork() == 0:
        cache = SweepCache(sys.argv[1])
        for i in range(30):
            cache.put(f"{k}-{i}", {"k": k, "i": i})
            cache.put(f"all-{i % 10}", {"i": i % 10})
        os._exit(0)
sys.exit(sum(os.wait()[1] for _ in range(8)))
"""
    subprocess.run([sys.executable, "-c", program, tmp_path / "c"], cwd=ROOT, check=True)
    cache = SweepCache(tmp_path / "c")
    assert all(cache.get(f"{k}-{i}") == {"k": k, "i": i} for k in range(8) for i in range(30))
    assert all(cache.get(f"all-{i}") == {"i": i} for i in range(10))
    assert len(list((tmp_path / "c").iterdir())) == 8 * 30 + 10 + 1


def test_another_sweep_may_be_making_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there and its mark is not yet; or neither was a moment ago."""
    path = tmp_path / "c"
    path.mkdir()
    with replacing(path / "sweep.json") as part:
        part.write(b"{}")
        SweepCache(path)
    (path / "sweep.json").unlink()
    monkeypatch.setattr("os.path.lexists", lambda _: False)
    SweepCache(path).put("a", {"x": 1})
    (path / "sweep.json").unlink()
    with pytest.raises(ArtifactError, match="is not the cache of a sweep"):
        SweepCache(path)


@pytest.mark.parametrize("content", ["", "[]", '{"format": "other"}', '{"format": "loihiconv sweep", "version": 9}', "\xff"])
def test_foreign_folders_are_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "sweep.json").write_text(content, encoding="latin-1")
    with pytest.raises(ArtifactError, match="another folder"):
        SweepCache(tmp_path / "c")
    assert (tmp_path / "c" / "sweep.json").read_text(encoding="latin-1") == content


def test_what_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(json.dumps({"format": "loihiconv sweep", "version": 1, "points": {}}))
    with pytest.raises(ArtifactError, match="is a file; a folder expected; in files older versions kept points"):
        SweepCache(tmp_path / "old.json")
    with pytest.raises(ArtifactError, match="is not the cache of a sweep"):
        SweepCache(tmp_path)
    with pytest.raises(InvalidSetting, match="its folder does not exist"):
        SweepCache(tmp_path / "none" / "c")
    (tmp_path / "empty").mkdir()
    SweepCache(tmp_path / "empty").put("a", {})
    (tmp_path / "empty" / "b.json").write_text("{")
    with pytest.raises(ArtifactError, match=r"b\.json: cannot be read as a point of a sweep; remove it"):
        SweepCache(tmp_path / "empty").get("b")


def test_a_full_disk_leaves_no_half_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = SweepCache(tmp_path / "c")
    cache.put("a", {"x": 1})

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"{replacing.__module__}.os.fsync", full)
    with pytest.raises(InvalidSetting, match="cannot be written: No space left on device"):
        cache.put("b", {"x": 2})
    assert {path.name for path in (tmp_path / "c").iterdir()} == {"sweep.json", "a.json"}
