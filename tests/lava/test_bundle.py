"""The deployed folder's own program, on a stand-in for a board (`standin/`): parts of it that are wrong, and which stage says so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.backends.deploy import deploy
from loihiconv.demo import digits, digits_cnn
from loihiconv.lava.bundle import main
from tests.lava.small import chain

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
        assert main([str(folder), "selftest", *(word for name in stages for word in ("--stage", name))]) == 1
        *lines, last = capsys.readouterr().out.splitlines()
        assert [line.split()[1][:-1] for line in lines if "FAILED" in line] == failing
        assert len(lines) == len(stages)
        assert last.startswith(f"self-test FAILED on the board: {failing[0]}: population ")
    assert diary.read_text()


@pytest.mark.lava
def test_it_measures_its_own_sample(
    diary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    net = replace(chain(weight=2, reset="zero", bias=64), board="kapoho_point")
    folder = deploy(net, np.array([[255.0, 255, 0, 0]]), tmp_path / "bundle", realization="lifreset").folder
    monkeypatch.setenv("LOIHICONV_LAVA_PYTHON", "")  # `main` sets it
    monkeypatch.setenv("STANDIN_FAULTS", "CyclicBuffer")
    assert main([str(folder), "measure", "throughput", "--steps", "16", "--chips", "32"]) == 1
    *lines, last = capsys.readouterr().out.splitlines()
    found = json.loads("\n".join(lines))
    assert (found["steps"], found["chips"], found["chips_used"], found["time_per_sample_us"]) == (18, 32, 1, 100.0)
    assert last == "FAILED: the result is not the network's, 2 of 2 potentials differ; see selftest"
    assert main([str(folder), "measure", "throughput", "--samples", "2"]) == 2
    assert capsys.readouterr().err == "error: --samples: 2 samples; 1 to 1, those of the self-test\n"
    assert diary.read_text()
