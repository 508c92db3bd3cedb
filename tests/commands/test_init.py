"""``loihiconv init``: a file of settings that works as it is, and with every default written out."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

import loihiconv as lc

MODEL = "loihiconv.demo.model:digits_cnn"


def test_what_it_writes_converts(run, npz: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, text, _ = run("init", MODEL, npz, "-T", "4")
    assert code == 0
    Path("settings.yaml").write_text(text)
    assert run("convert", "-c", "settings.yaml")[0] == 0
    first = lc.load("digits_cnn.lnet")
    assert first.timesteps == 4
    # Every default that stands in a comment, taken out of it, is what was there anyway.
    Path("settings.yaml").write_text(re.sub(r"^# (?=(?!weights|yaml-)[a-z-]+: )", "", text, flags=re.MULTILINE))
    assert "hold-back" in yaml.safe_load(Path("settings.yaml").read_text())
    assert run("convert", "-c", "settings.yaml")[0] == 0
    assert lc.load("digits_cnn.lnet").record.settings == first.record.settings


def test_into_a_file_that_is_not_there_yet(run, npz: Path, tmp_path: Path) -> None:
    out = tmp_path / "lenet.yaml"
    assert run("init", "nets.py:lenet", npz, "--weights", "lenet.pt", "--out", out)[0] == 0
    written = yaml.safe_load(out.read_text())
    assert (written["model"], written["weights"], written["network"]) == ("nets.py:lenet", "lenet.pt", "lenet.lnet")
    assert "convert -c lenet.yaml" in out.read_text()
    code, _, err = run("init", "nets.py:lenet", npz, "--out", out)
    assert (code, "is there already" in err) == (2, True)
    assert run("init", "nets.py:lenet", npz, "--board", "no_such")[0] == 2
