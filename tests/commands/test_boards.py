"""``loihiconv boards``: what is missing here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loihiconv.commands.terminal import print_table


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


def test_wide_tables_stand_closer_before_names_break(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Eighty columns hold a table of populations with the layers of a tree of max-pooling; of longer texts that column gives way."""
    monkeypatch.setenv("COLUMNS", "80")
    name, numbers = "max_pool2d_1.max0", ["32x14x14", "6,272", "100,352", "4,391"]
    for last, lines in (("weights from conv3", 1), ("potential of the readout over T steps", 3)):
        print_table("", ["population", "shape", "neurons", "weights", "threshold", "limited by", "bits"], [[name, *numbers, last, "8.0"]])
        out = capsys.readouterr().out.rstrip("\n ").splitlines()
        row = next(i for i, line in enumerate(out) if name in line)
        assert all(number in out[row] for number in numbers)
        assert max(map(len, out)) <= 80
        assert len(out) - row <= lines
    print_table("", ["a", "b"], [["1", "2"]])
    assert " 1  2" in capsys.readouterr().out
