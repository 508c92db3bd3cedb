"""``loihiconv sweep`` as a user meets it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loihiconv.commands.app import main
from loihiconv.demo import digits
from loihiconv.evaluation.sweep import point as module

FACTORY = "nets_of_sweep:small"
NETS = """
import torch
from torch import nn

def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10))

def pooled():
    return nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 10))
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """Run ``loihiconv sweep`` in a folder with networks and data; gives exit code, stdout and stderr."""
    (tmp_path / "nets_of_sweep.py").write_text(NETS)
    x_train, y_train, x_test, y_test = digits()
    np.savez(tmp_path / "digits.npz", x_train=x_train[:200], y_train=y_train[:200], x_test=x_test, y_test=y_test)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def call(*arguments: str, factory: str = FACTORY) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["loihiconv", "sweep", factory, "digits.npz", "--calibration-samples", "120", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capsys.readouterr()
        return (caught.value.code if isinstance(caught.value.code, int) else 1), out, err

    return call


def test_rows_come_from_all_axes(run) -> None:
    code, out, err = run(
        *["-T", "2,4", "--percentile", "99,none", "--per-channel", "--per-layer", "--weight-bits", "8", "--reset", "subtract", "--json"]
    )
    assert code == 0
    found = json.loads(out)
    assert found["axes"] == {
        "timesteps": [2, 4],
        "percentile": [99.0, None],
        "reset": ["subtract"],
        "per_channel": [True, False],
        "weight_bits": [8],
    }
    assert len(found["rows"]) == 8
    assert (found["on"], found["ann"]["n"], found["complete"]) == ("train", 80, True)
    assert found["provenance"]["loihiconv"]
    assert "Judged on training samples" in " ".join(err.split())


def test_bits_of_spikes_are_an_axis(run) -> None:
    code, out, _ = run("-T", "2", "--spike-bits", "1,3", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["axes"] == {"timesteps": [2], "spike_bits": [1, 3]}
    assert [row["settings"]["spike_bits"] for row in found["rows"]] == [1, 3]
    assert run("-T", "2", "--spike-bits", "2", "--board", "nahuku32")[0] == 2


def test_table_plot_and_test_samples(run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    code, out, err = run("-T", "2,4", "--on", "test", "--samples", "50", "--plot", "sweep.svg")
    assert code == 0
    assert "kapoho_point: 2 of 2 points on 50 test samples" in " ".join(out.split())
    assert "tuning on test data" in " ".join(err.split())
    assert (tmp_path / "sweep.svg").read_text().startswith("<?xml")


def test_ctrl_c_prints_what_is_there_and_the_same_command_goes_on(run, monkeypatch: pytest.MonkeyPatch) -> None:
    real, ran = module.run, list[int]()

    def interrupted(network: Any, *rest: Any, **named: Any) -> Any:
        if network.timesteps == 4 and 4 not in ran:
            ran.append(4)
            raise KeyboardInterrupt
        ran.append(network.timesteps)
        return real(network, *rest, **named)

    monkeypatch.setattr(module, "run", interrupted)
    code, out, err = run("-T", "2,4", "--json")
    assert code == 130
    assert (json.loads(out)["complete"], len(json.loads(out)["rows"])) == (False, 1)
    assert "interrupted: 1 of 2 points are done" in " ".join(err.split())
    code, out, _ = run("-T", "2,4", "--json")
    assert code == 0
    assert len(json.loads(out)["rows"]) == 2
    assert ran == [2, 4, 4]


def test_where_nothing_can_be_converted_the_exit_code_says_so(run) -> None:
    code, out, err = run("-T", "2", "--maxpool", "gate", factory="nets_of_sweep:pooled")
    assert code == 2
    assert "failed" in out
    assert "max-pools analog input" in " ".join(err.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("-T 2,x", "--timesteps: 'x'; whole numbers"),
        ("-T ,", "--timesteps: ','; values separated by commas"),
        ("--percentile 99,abc", "--percentile: 'abc'; numbers"),
        ("-T 2 --percentile 200", "percentile 200"),
        ("-T 2 --weight-bits 1", "weight_bits 1; 2 to 8 on kapoho_point"),
        ("-T 2 --scale best", "scale 'best'"),
        ("-T 2 --spike-bits 0", "spike_bits 0"),
        ("-T 2 --spike-bits few", "--spike-bits: 'few'; whole numbers"),
        ("-T 2 --board loihi9", "unknown board 'loihi9'"),
        ("-T 2 --on both", "--on: 'both'; train or test expected"),
        ("-T 2 --samples 0", "--samples: 0 samples"),
        ("-T 2 --calibration-samples 200", "no training samples are left beside 200 for calibration"),
        ("-T 2 --plot sweep.gif", "ends in '.gif'"),
        ("-T 2 --cache nowhere/points", "its folder does not exist"),
        ("-T 2 --cache digits.npz", "is a file; a folder expected"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(run, tmp_path: Path, arguments: str, message: str) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    code, out, err = run(*arguments.split())
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert {path.name for path in tmp_path.iterdir()} - before <= {"__pycache__"}
