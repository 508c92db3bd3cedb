"""``loihiconv lava``: what users see of Lava's environment; tests/lava/test_installation.py has what is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOIHICONV_LAVA_HOME", str(tmp_path / "lava"))
    monkeypatch.delenv("LOIHICONV_LAVA_PYTHON", raising=False)
    monkeypatch.setattr("loihiconv.lava.interpreter._has_lava", lambda: False)


def test_without_lava(run) -> None:
    code, out, err = run("lava", "status")
    assert (code, "lava-nc is not installed for this Python" in " ".join(out.split())) == (3, True)
    assert "run 'loihiconv lava install'" in err
    code, out, _ = run("lava", "status", "--json")
    assert (code, json.loads(out)["ready"]) == (3, False)
    assert run("lava", "remove")[2].strip() == "there is none"


def test_install_says_what_it_did(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loihiconv.lava.installation.install", lambda say, python: say("pip installs Lava") or "0.10.0")
    code, _, err = run("lava", "install")
    assert code == 0
    assert "pip installs Lava\nlava-nc 0.10.0 is in" in err


@pytest.mark.lava
def test_with_lava(run, monkeypatch: pytest.MonkeyPatch, lava_python: str) -> None:
    monkeypatch.setenv("LOIHICONV_LAVA_PYTHON", lava_python)
    code, out, _ = run("lava", "status", "--json")
    assert (code, json.loads(out)["python"]) == (0, lava_python)
