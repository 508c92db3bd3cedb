"""``loihiconv compare`` and its reports."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from loihiconv.commands.app import app
from loihiconv.demo import digits

MODEL = "loihiconv.demo.model:digits_cnn"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    x_train, y_train, x_test, y_test = digits()
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    np.savez(path, x_train=x_train[:200], y_train=y_train[:200], x_test=x_test[:30], y_test=y_test[:30])
    return path


def test_compare_writes_reports_that_say_how_to_repeat_it(run, data: Path, tmp_path: Path) -> None:
    html, markdown = tmp_path / "report.html", tmp_path / "report.md"
    result = CliRunner().invoke(
        app,
        ["compare", MODEL, str(data), "-T", "8", "--html", str(html), "--markdown", str(markdown), "--plot", str(tmp_path / "figure.svg")],
    )
    assert result.exit_code == 0, result.output
    assert "Where accuracy goes" in result.stdout
    assert "sum of all steps" in result.stdout
    assert html.read_text().startswith("<!doctype html>")
    assert (tmp_path / "figure.svg").read_text().startswith("<?xml")
    assert markdown.read_text().startswith("# From float network")
    repeat = tmp_path / "repeat.yaml"
    repeat.write_text(markdown.read_text().partition("```yaml\n")[2].partition("```")[0])
    again = run("compare", "-c", repeat, "--json")[1]
    assert json.loads(again)["backends"] == json.loads(run("compare", MODEL, data, "-T", 8, "--json")[1])["backends"]


def test_explain_goes_into_json(data: Path) -> None:
    result = CliRunner().invoke(app, ["compare", MODEL, str(data), "-T", "8", "--explain", "--json"])
    assert result.exit_code == 0, result.output
    analysis = json.loads(result.stdout)["analysis"]
    losses = [step["step"]["lost"] - step["step"]["gained"] for step in analysis["waterfall"][1:]]
    assert sum(losses) == analysis["total"]["lost"] - analysis["total"]["gained"]


def test_back_ends_that_are_not_there_are_left_out_and_said(data: Path, run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOIHICONV_LAVA_PYTHON", "/nowhere/python")
    code, out, err = run("compare", MODEL, data, "-T", 4, "--backends", "emulator,lava", "--json")
    assert code == 3
    assert set(json.loads(out)["backends"]) == {"ann", "emulator"}
    assert "error: Lava CPU is left out: LOIHICONV_LAVA_PYTHON: /nowhere/python is no program" in " ".join(err.split())
    assert run("compare", MODEL, data, "--backends", "lava")[0] == 3


def test_a_certificate_is_part_of_what_is_printed_and_decides_the_exit_code(data: Path, run) -> None:
    separated = ("compare", MODEL, data, "-T", 4, "--backends", "emulator", "--certify")
    code, out, _ = run(*separated, "--silent-steps", 4)
    assert code == 0
    assert "Certified: the emulator equals the quantized ANN, 0 differences in" in " ".join(out.split())
    code, out, _ = run(*separated, "--json")
    assert code == 1
    found = json.loads(out)["certificate"]
    assert not found["holds"]
    assert found["first_difference"] in found["statement"]
    code, _, err = run(*separated, "--reset", "zero")
    assert code == 2
    assert 'reset "zero"' in err
