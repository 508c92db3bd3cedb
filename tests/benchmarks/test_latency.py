"""``benchmarks/latency.py`` on a few noise images: what it prints, writes and does not repeat."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from benchmarks import latency, nets

pytestmark = pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib comes with loihiconv[bench]")


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    rng = np.random.default_rng(0)
    x, y = rng.random((12, 1, 28, 28), np.float32), rng.integers(0, 10, 12)
    monkeypatch.setattr(latency.data, "load", lambda name: (x, y, x, y))
    monkeypatch.setattr(latency.nets, "trained", lambda name: nets.fashion_cnn())
    return ["--net", "fashion_cnn", "--samples", "5", "--timesteps", "2,4", "--lava-samples", "0", "--out", str(tmp_path / "out")]


def call(*arguments: str) -> Any:
    app = typer.Typer()
    app.command()(latency.main)
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_json_table_plot_and_going_on(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (result,) = json.loads(call(*arguments, "--json").stdout)
    assert [(p["timesteps"], p["method"], p["backend"]) for p in result["points"]] == [
        (t, m, b) for t in (2, 4) for m in latency.METHODS for b in ("float", "emulator")
    ]
    assert all(p["spike_bits"] == (4 if p["method"] == "graded" else 1) for p in result["points"])
    assert all(p["loss"] == pytest.approx(result["ann"]["accuracy"] - p["accuracy"]) for p in result["points"])
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"fashion_cnn.json", "latency.png"}
    monkeypatch.setattr(latency.Latency, "_convert", None)  # nothing is left to convert
    shown = call(*arguments).stdout
    assert "default emulator" in shown
    assert "graded, 4 bits emulator" in shown
    assert "NxTF" in shown


def test_graded_spikes_stay_apart(arguments: list[str]) -> None:
    """Other bits are another row; beyond the steps that are asked for there is none."""
    shown = call(*arguments, "--methods", "default,graded", "--backends", "emulator", "--graded-steps", "2", "--spike-bits", "3").stdout
    (row,) = [line for line in shown.splitlines() if line.startswith("graded, 3 bits emulator")]
    assert len(row.split()) == 5
    shown = call(*arguments, "--methods", "graded", "--backends", "emulator", "--spike-bits", "2").stdout
    rows = [line for line in shown.splitlines() if " emulator" in line]
    assert [row[:24].strip() for row in rows] == ["default emulator", "graded, 2 bits emulator", "graded, 3 bits emulator"]
    refused = call(*arguments, "--methods", "graded,best")
    assert refused.exit_code == 2
    assert "unknown method 'best'; known are paper, default, doubled, fourfold, separated, buffered, signed, graded" in refused.stderr


def test_a_cluster_measures_the_same(arguments: list[str], tmp_path: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = nets.fashion_cnn()
    monkeypatch.setattr(latency.nets, "trained", lambda name: model)
    arguments = [*arguments, "--methods", "default", "--timesteps", "2", "--json", "--out"]
    (alone,), (spread,) = (
        json.loads(call(*arguments, str(tmp_path / name), *more).stdout)
        for name, more in (("alone", ()), ("spread", ("--cluster", cluster.scheduler.address)))
    )
    for point in (*alone["points"], *spread["points"]):
        del point["seconds"]
    assert spread == alone


def test_unknown_networks_are_refused(arguments: list[str]) -> None:
    shown = call(*arguments, "--net", "vgg99")
    assert shown.exit_code == 2
    assert "unknown network 'vgg99'" in shown.stderr
