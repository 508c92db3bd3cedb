"""``benchmarks/figure2.py`` from end to end on a few noise images and steps: what it prints, writes and does not repeat."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from safetensors.torch import save_file
from typer.testing import CliRunner

from benchmarks import figure2, nets

pytestmark = pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib comes with loihiconv[bench]")


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    rng = np.random.default_rng(0)
    x, y = rng.random((12, 3, 32, 32), np.float32), rng.integers(0, 10, 12)
    monkeypatch.setattr(figure2.data, "load", lambda name: (x, y, x, y))
    for name, value in (("TIMESTEPS", 4), ("CURVE_STEPS", (1, 2, 4)), ("SHOWN_STEPS", (2, 4)), ("PERCENTILES", (100.0, 99.9, 90.0))):
        monkeypatch.setattr(figure2, name, value)
    weights = tmp_path / "weights.safetensors"
    save_file(nets.cifar10_cnn().state_dict(), weights)
    return ["--samples", "3", "--curve-samples", "2", "--calibration", "6", "--weights", str(weights), "--out", str(tmp_path / "out")]


def call(*arguments: str) -> Any:
    app = typer.Typer()
    app.command()(figure2.main)
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_json_table_plots_and_going_on(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = call(*arguments, "--json")
    assert shown.exit_code == 0
    result = json.loads(shown.stdout)
    assert set(result) == {"ann", "bars", "curves"}
    assert [bar["name"] for bar in result["bars"]] == [bar.name for bar in figure2.BARS]
    assert all(set(bar) == {"name", "accuracy", "n"} and bar["n"] == 3 for bar in result["bars"])
    assert {p: list(course) for p, course in result["curves"].items()} == {p: ["1", "2", "4"] for p in ("100", "99.9", "90")}
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"figure2.json", "figure2a.png", "figure2b.png"}
    stored = json.loads((tmp_path / "out/figure2.json").read_text())
    stored["bars"].pop()
    stored["curves"].pop("90")
    (tmp_path / "out/figure2.json").write_text(json.dumps(stored))
    ran: list[str] = []
    monkeypatch.setattr(figure2.Figure, "_spiking", _recording(figure2.Figure._spiking, ran))
    table = call(*arguments)
    assert ran == ["Loihi fixed point", "percentile 90"]
    assert "+ reset by subtraction  about 80" in table.stdout
    assert json.loads((tmp_path / "out/figure2.json").read_text())["bars"][-1]["accuracy"] == result["bars"][-1]["accuracy"]
    ran.clear()
    assert call(*arguments, "--start", "0.5").exit_code == 0
    assert len(ran) == 7  # other settings, other numbers: six bars, and one curve that is no bar


def _recording(function: Any, names: list[str]) -> Any:
    def wrapper(self: Any, bar: figure2.Bar, *rest: Any) -> Any:
        names.append(bar.name)
        return function(self, bar, *rest)

    return wrapper


def test_names_a_missing_file(arguments: list[str], tmp_path: Path) -> None:
    result = call("--weights", str(tmp_path / "none.safetensors"), "--out", str(tmp_path))
    assert result.exit_code == 2
    assert "none.safetensors" in result.stderr
