"""``loihiconv boards``: what is missing here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_boards_say_what_is_missing_here(run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LOIHICONV_LAVA_PYTHON", "/nowhere/python")
    monkeypatch.delenv("NXSDKHOST", raising=False)
    code, out, _ = run("boards")
    assert code == 0
    for text in (
        "✗ Lava: LOIHICONV_LAVA_PYTHON: /nowhere/python is no program",
        "✗ lava-loihi",
        "✗ SLURM: no program sinfo",
        "✗ Ethernet host",
    ):
        assert text in out
    assert "No run on a board is possible from here" in out
    here = json.loads(run("boards", "--json")[1])["here"]
    assert here["ready"] is False
    assert here["findings"]["slurm"]["found"] is False
