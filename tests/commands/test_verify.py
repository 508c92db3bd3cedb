"""``loihiconv verify``: exit codes and what it writes; tests/evaluation/test_verify.py has what is required."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

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


def test_what_stops_it_stands_in_the_files(run, npz: Path, lnet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of an earlier run must not be taken for the answer; and a missing Lava is found before the work."""
    junit, markdown = tmp_path / "verify.xml", tmp_path / "verify.md"
    junit.write_text("an earlier run's")
    monkeypatch.setenv("LOIHICONV_LAVA_PYTHON", "/nowhere/python")
    code, out, err = run("verify", "no.such:model", npz, "--network", lnet, "--junit", junit, "--markdown", markdown)
    assert (code, out, "/nowhere/python is no program" in err) == (3, "", True)
    suite = ElementTree.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("errors"), suite.get("failures")) == ("1", "1", "0")
    assert "/nowhere/python is no program" in suite.find("testcase/error").get("message")
    assert "not checked\n\nLOIHICONV_LAVA_PYTHON: /nowhere/python is no program" in markdown.read_text()
