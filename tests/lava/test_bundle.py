"""The deployed folder's own program, on a stand-in for a board (`standin/`): parts of it that are wrong, and which stage says so."""

from __future__ import annotations

from pathlib import Path

import pytest

import loihiconv as lc
from loihiconv.backends.deploy import deploy
from loihiconv.demo import digits, digits_cnn
from loihiconv.lava.bundle import main

SMALL = ("convolution", "convolution-payloads", "reset")


@pytest.mark.lava
@pytest.mark.slow
def test_a_fault_is_named_by_its_stage(
    diary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    net = lc.convert(digits_cnn(), digits()[0][:100], board="kapoho_point", timesteps=4)
    folder = deploy(net, digits()[2], tmp_path / "bundle", realization="lifreset", samples=1).folder
    monkeypatch.setenv("LOIHICONV_LAVA_PYTHON", "")  # `main` sets it
    for faults, stages, failing in (("Conv,LIFReset", SMALL, ["convolution", "reset"]), ("payloads", SMALL[1:2], ["convolution-payloads"])):
        monkeypatch.setenv("STANDIN_FAULTS", faults)
        assert main([str(folder), "selftest", "--read-late", "1", *(word for name in stages for word in ("--stage", name))]) == 1
        *lines, last = capsys.readouterr().out.splitlines()
        assert [line.split()[1][:-1] for line in lines if "FAILED" in line] == failing
        assert len(lines) == len(stages)
        assert last.startswith(f"self-test FAILED on the board: {failing[0]}: population ")
    assert diary.read_text()
