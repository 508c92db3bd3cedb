"""The command line called in this process, and what it is called with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.commands.app import main
from loihiconv.demo import digits, digits_cnn

NETS = """
import torch
from torch import nn

def sigmoid():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.Sigmoid(), nn.Linear(10, 10))

def untrained():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.ReLU(), nn.Linear(10, 10))

def with_nan():
    model = untrained()
    model[1].weight.data[0, 0] = float("nan")
    return model

def pooling():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 10))

def huge_bias():
    model = untrained()
    model[3].bias.data[0] = 1e20
    model[3].weight.data[:, 0] = 1e-20
    return model
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Run the command line; gives exit code, stdout and stderr."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["loihiconv", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capsys.readouterr()
        code = caught.value.code
        return (code if isinstance(code, int) else 1), out, err

    return call


@pytest.fixture(scope="package")
def npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits in the form that the command line reads."""
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    x_train, y_train, x_test, y_test = digits()
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


@pytest.fixture(scope="package")
def lnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A converted network."""
    path = tmp_path_factory.mktemp("net") / "digits.lnet"
    lc.save(lc.convert(digits_cnn(), digits()[0], board="kapoho_point", timesteps=8), path)
    return path


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of factories in the working directory."""
    (tmp_path / "nets_of_test.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path
