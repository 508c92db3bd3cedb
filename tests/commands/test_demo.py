"""``loihiconv demo``: from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import loihiconv as lc


@pytest.mark.lava
def test_demo_ends_with_no_mismatch(run, tmp_path: Path, lava_python: str) -> None:
    code, out, _ = run("demo", "-T", 16, "--lava-samples", 5, "--out", tmp_path / "demo", "--json")
    assert code == 0
    result = json.loads(out)
    assert result == json.loads((tmp_path / "demo" / "demo.json").read_text())
    assert set(result["mismatched_spikes"].values()) == {0} == {result["mismatched_potentials"]}
    assert result["backends"]["emulator"]["n"] == 360
    assert abs(result["backends"]["emulator"]["accuracy"] - result["backends"]["ann"]["accuracy"]) <= 0.01
    assert lc.load(tmp_path / "demo" / "digits.lnet").timesteps == 16


def test_demo_without_lava_shows_the_rest(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOIHICONV_LAVA_PYTHON", "/nowhere/python")
    code, out, err = run("demo", "-T", 4, "--out", tmp_path / "demo")
    assert code == 0
    assert "emulator" in out
    assert "Lava CPU is left out: LOIHICONV_LAVA_PYTHON: /nowhere/python is no program" in err
