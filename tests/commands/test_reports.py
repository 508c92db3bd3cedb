"""Reports are refused before the work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import loihiconv as lc
from loihiconv.commands.analysis_text import print_analysis
from loihiconv.commands.app import app
from loihiconv.core.errors import InvalidSetting
from loihiconv.demo import digits, digits_cnn
from loihiconv.evaluation.verdict import Status

MODEL = "loihiconv.demo.model:digits_cnn"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    x_train, y_train, x_test, y_test = digits()
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    np.savez(path, x_train=x_train[:200], y_train=y_train[:200], x_test=x_test[:30], y_test=y_test[:30])
    return path


def test_a_report_that_cannot_be_written_is_refused_before_the_work(data: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["compare", "no.such:model", str(data), "--html", str(tmp_path / "missing" / "r.html")])
    assert isinstance(result.exception, InvalidSetting)
    assert "its folder does not exist" in str(result.exception)
    result = CliRunner().invoke(app, ["compare", "no.such:model", str(data), "--plot", str(tmp_path / "figure.gif")])
    assert isinstance(result.exception, InvalidSetting)
    assert ".png, .svg, .pdf expected" in str(result.exception)


def test_what_is_found_is_marked_by_what_accuracy_lost(capsys: pytest.CaptureFixture[str]) -> None:
    """As bad as the verdict has it; where nothing was lost it is to be looked at, and no success."""
    x, _, x_test, y_test = digits()
    net = lc.convert(digits_cnn(), x[:50], board="kapoho_point", timesteps=2)
    found = lc.compare(digits_cnn(), net, (x_test[:8], y_test[:8]), ["emulator"], explain=True)
    assert found.analysis is not None
    assert not found.analysis.diagnosis.healthy
    said: dict[Status, str] = {"good": "? ", "unknown": "? ", "warn": "! ", "bad": "✗ "}
    for survived, mark in said.items():
        print_analysis(found.analysis, survived)
        assert capsys.readouterr().out.splitlines()[-1].startswith(mark + found.analysis.diagnosis.verdict[:20])
