"""Sweeps on a cluster: the same rows, and what becomes of points of which a slice fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.backends import spread as slices
from loihiconv.backends.simulators import simulator_of
from loihiconv.demo import digits
from loihiconv.evaluation.sweep import spread
from loihiconv.evaluation.sweep.result import SweepResult
from tests.clustered import Broken

AXES = {"timesteps": [2, 4], "input_coding": ["poisson", "analog"]}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of 32 samples, slices of 8."""
    monkeypatch.setattr(slices, "FEWEST", {False: 11, True: 11})
    monkeypatch.setattr(slices, "ROUNDS", 100)
    monkeypatch.setattr(spread, "PAGE_BYTES", 40 * 64 * 4)


def sweep(**arguments: Any) -> SweepResult:
    x_train, _, x, y = digits()
    torch.manual_seed(0)
    model = nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 10)).eval()
    return lc.sweep(model, x_train[:50], (x[:60], y[:60]), board="kapoho_point", maxpool="gate", **{"axes": AXES, **arguments})


def test_rows_are_those_without_a_cluster(cluster: Any, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    spread_out = sweep(
        cluster=cluster, cache=tmp_path / "points", progress=lambda stage, *of: seen.append(of) if stage == "sweep" else None
    )
    alone = sweep(cache=tmp_path / "alone")
    assert spread_out.to_json() == alone.to_json()
    assert any(row.outcome is None for row in alone.rows)
    assert {path.name: path.read_text() for path in (tmp_path / "points").iterdir()} == {
        path.name: path.read_text() for path in (tmp_path / "alone").iterdir()
    }
    assert seen == sorted(seen)
    assert seen[-1] == (12, 12)
    assert len(seen) > 8


def test_a_point_that_is_given_up_is_a_row_and_tried_again(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Broken(diary=str(tmp_path), always=frozenset({16}))
    monkeypatch.setattr(spread, "simulator_of", lambda net: broken if net.timesteps == 4 else simulator_of(net))
    found = sweep(cluster=cluster, axes={"timesteps": [2, 4]}, input_coding="rate", cache=tmp_path / "points")
    assert [row.outcome is None for row in found.rows] == [False, True]
    assert found.rows[1].reason.startswith("point timesteps=4, samples 16 to 23: no more")
    monkeypatch.undo()
    assert (
        sweep(axes={"timesteps": [2, 4]}, input_coding="rate", cache=tmp_path / "points").to_json()
        == sweep(axes={"timesteps": [2, 4]}, input_coding="rate").to_json()
    )
