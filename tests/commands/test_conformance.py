from __future__ import annotations

import json
from pathlib import Path

import pytest

from loihiconv.commands.conformance import conformance


def test_vectors_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conformance(tmp_path / "a", as_json=True)
    assert "one sum" in json.loads(capsys.readouterr().out)["cases"]
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"vectors.npz", "check.py"}
    conformance(tmp_path / "b")
    assert "check.py --help" in capsys.readouterr().err
