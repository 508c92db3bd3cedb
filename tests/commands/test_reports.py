"""Reports are refused before the work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from loihiconv.commands.app import app
from loihiconv.core.errors import InvalidSetting
from loihiconv.demo import digits

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
