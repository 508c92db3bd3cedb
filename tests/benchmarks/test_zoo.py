"""``benchmarks/zoo.py`` on two small networks: one that goes in, one that breaks."""

from __future__ import annotations

import json
from typing import Any

import pytest
import typer
from torch import nn
from typer.testing import CliRunner

from benchmarks import zoo


def made(origin: str, name: str) -> nn.Module:
    if name == "broken":
        raise KeyError(origin)
    return nn.Sequential(nn.Conv2d(3, 2, 8, stride=8), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(128, 2))


def test_a_cluster_says_the_same(monkeypatch: pytest.MonkeyPatch, cluster: Any) -> None:
    """Workers are threads of this process, so that they see what is put in place of torchvision."""
    monkeypatch.setattr(zoo, "_made", made)
    monkeypatch.setattr(zoo, "TORCHVISION", ("small", "broken"))
    app = typer.Typer()
    app.command()(zoo.main)
    shown = CliRunner().invoke(app, ["--origin", "torchvision", "--json", "--cluster", cluster.scheduler.address])
    found = {each.pop("name"): each for each in json.loads(shown.stdout)}
    alone = {name: vars(zoo._outcome("torchvision", name, None)) for name in zoo.TORCHVISION}
    for name, said in found.items():
        assert {**alone[name], "seconds": 0} == {**said, "name": name, "seconds": 0}
    assert (found["small"]["passed"], found["broken"]["problem"]) == (True, "KeyError: 'torchvision'")
    assert "2 workers" in shown.stderr
    refused = CliRunner().invoke(app, ["--cluster", "locl"])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("error: cluster: 'locl'")
