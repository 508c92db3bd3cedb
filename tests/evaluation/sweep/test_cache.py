"""What a sweep keeps, shared by those that run at the same time."""

from __future__ import annotations

from pathlib import Path

from loihiconv.evaluation.sweep.cache import SweepCache


def test_two_sweeps_share_a_file(tmp_path: Path) -> None:
    one, other = SweepCache(tmp_path / "c.json"), SweepCache(tmp_path / "c.json")
    one.put("a", {"x": 1})
    other.put("b", {"x": 2})
    both = SweepCache(tmp_path / "c.json")
    assert (both.get("a"), both.get("b"), both.get("c")) == ({"x": 1}, {"x": 2}, None)
