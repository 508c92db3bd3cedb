"""What is found of Lava, its extension for Loihi and boards, with everything there and with nothing."""

from __future__ import annotations

import os

import pytest

from loihiconv.core.errors import BackendUnavailable
from loihiconv.lava.chip.settings import BoardAccess
from loihiconv.lava.detection import detect, require_loihi
from loihiconv.lava.interpreter import PYTHON_VARIABLE

MODEL = "standin_neurons:NcSoftResetIF"
lava = pytest.mark.lava


@lava
def test_detection_with_everything_there(diary):
    detection = detect(BoardAccess(partition="oheogulch", neurocore_model=MODEL))
    assert detection.ready
    assert {name: f.found for name, f in detection.findings.items()} == {
        "lava": True,
        "lava-loihi": True,
        "slurm": True,
        "ethernet": False,
        "chip": True,
        "neurocore": True,
    }
    assert "oheogulch (3 nodes idle), kp (1 nodes down)" in detection.findings["slurm"].detail
    with pytest.raises(BackendUnavailable, match="no partition nahuku; there are: kp, oheogulch; name another with --partition"):
        require_loihi(BoardAccess(partition="nahuku"), "atrlif")


def test_detection_with_nothing_there_never_raises(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(PYTHON_VARIABLE, "/nowhere/python")
    monkeypatch.delenv("NXSDKHOST", raising=False)
    detection = detect()
    assert not detection.ready
    assert [name for name, f in detection.findings.items() if f.found] == ["chip"]
    assert all(f.remedy for f in detection.findings.values() if not f.found)


@pytest.mark.parametrize(
    ("program", "detail"), [("exit 1", "sinfo fails: status 1"), ("echo", "no partitions"), ("printf '\\\\0\\\\377'", "partition")]
)
def test_a_slurm_that_is_broken(monkeypatch, tmp_path, program, detail):
    sinfo = tmp_path / "sinfo"
    sinfo.write_text(f"#!/bin/sh\n{program}\n")
    sinfo.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), os.environ["PATH"]]))
    assert detail in detect().findings["slurm"].detail
