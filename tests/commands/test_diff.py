"""``loihiconv diff``: two saved networks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from tests.core.test_drift import NET
from tests.evaluation.test_saved import LEAST


def test_exit_code_says_whether_they_differ(run, tmp_path: Path) -> None:
    first, second = tmp_path / "a.lnet", tmp_path / "b.lnet"
    NET.save(first)
    replace(NET, timesteps=8).save(second)
    code, _, err = run("diff", first, first)
    assert (code, err.strip()) == (0, "the same network: every number that runs is equal")
    code, out, _ = run("diff", first, second)
    assert (code, "4 -> 8" in out) == (1, True)
    assert json.loads(run("diff", first, second, "--json")[1])["changes"] == [{"where": "network", "what": "timesteps", "how": "4 -> 8"}]


def test_comparisons_are_told_from_networks_by_content(run, tmp_path: Path) -> None:
    a, b, net, page = tmp_path / "a", tmp_path / "b", tmp_path / "net.json", tmp_path / "report.html"
    a.write_text(json.dumps(LEAST))
    b.write_text(json.dumps({**LEAST, "timesteps": 16}))
    page.write_text("<!doctype html>")
    NET.save(net)
    assert run("diff", a, a)[0] == 0
    code, out, _ = run("diff", a, b)
    assert (code, "time steps" in out) == (1, True)
    assert json.loads(run("diff", a, b, "--json")[1])["costs"][0] == {"name": "time steps", "before": 8, "after": 16}
    code, out, err = run("diff", a, net)
    assert (code, out) == (2, "")
    assert f"{a}: holds a comparison, and {net} none" in " ".join(err.split())
    assert "cannot be read: No such file" in run("diff", a, tmp_path / "none")[2]
    assert "is a report to read" in run("diff", page, page)[2]
