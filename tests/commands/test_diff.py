"""``loihiconv diff``: two saved networks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from tests.core.test_drift import NET


def test_exit_code_says_whether_they_differ(run, tmp_path: Path) -> None:
    first, second = tmp_path / "a.lnet", tmp_path / "b.lnet"
    NET.save(first)
    replace(NET, timesteps=8).save(second)
    code, _, err = run("diff", first, first)
    assert (code, err.strip()) == (0, "the same network: every number that runs is equal")
    code, out, _ = run("diff", first, second)
    assert (code, "4 -> 8" in out) == (1, True)
    assert json.loads(run("diff", first, second, "--json")[1])["changes"] == [{"where": "network", "what": "timesteps", "how": "4 -> 8"}]
