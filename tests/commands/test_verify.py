"""``loihiconv verify``: exit codes and what it writes; tests/evaluation/test_verify.py has what is required."""

from __future__ import annotations

import json
from pathlib import Path

MODEL = "loihiconv.demo.model:digits_cnn"


def test_exit_code_and_files(run, npz: Path, lnet: Path, tmp_path: Path) -> None:
    junit, markdown = tmp_path / "verify.xml", tmp_path / "verify.md"
    common = ("verify", MODEL, npz, "--network", lnet, "--lava-samples", 0, "--samples", 50)
    code, out, _ = run(*common, "--max-loss", 50, "--again", "--calibration", npz, "--junit", junit, "--markdown", markdown)
    assert (code, "registers" in out) == (0, True), out
    assert 'failures="0"' in junit.read_text()
    assert "✅" in markdown.read_text()
    code, out, _ = run(*common, "--max-loss", 0, "--json", "--mean", "0")
    found = json.loads(out)
    assert code == (0 if found["holds"] else 1)
    assert run("verify", MODEL, npz, "--network", tmp_path / "none.lnet")[0] == 2
