"""Sweeps: every point is what `convert` gives, nothing is run twice, and what cannot be converted is a row."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.core.errors import ArtifactError, InvalidData, InvalidSetting
from loihiconv.core.linear import Array
from loihiconv.demo import digits, digits_cnn
from loihiconv.evaluation.metrics import wilson
from loihiconv.evaluation.sweep import point as module
from loihiconv.evaluation.sweep.result import SweepInterrupted, SweepResult
from loihiconv.hardware.board import load_board
from loihiconv.report.sweep_table import sweep_table


@cache
def samples() -> tuple[Array, Array, Array]:
    """Calibration samples, test samples and their labels."""
    x_train, _, x, y = digits()
    return x_train[:100], x[:60], y[:60]


def small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10)).eval()


def sweep(model: nn.Module | None = None, **arguments: Any) -> SweepResult:
    calibration, x, y = samples()
    given = {"board": "kapoho_point", **arguments}
    return lc.sweep(model or small(), calibration, (x, y), **given)


@pytest.fixture
def converted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The settings of all points that were really converted."""
    seen: list[Any] = []
    build = module.build

    def counting(source: Any, settings: Any, *rest: Any) -> Any:
        seen.append(settings)
        return build(source, settings, *rest)

    monkeypatch.setattr(module, "build", counting)
    return seen


def test_every_point_is_what_convert_gives() -> None:
    calibration, x, y = samples()
    model = digits_cnn()
    result = sweep(model, axes={"timesteps": [3, 6], "per_channel": [True, False], "weight_bits": [4, 8]}, scale="percentile")
    assert len(result.rows) == 8
    assert [tuple(row.values.values()) for row in result.rows][:3] == [(3, True, 4), (3, True, 8), (3, False, 4)]
    right = lc.compare(model, lc.convert(model, calibration, board=None, timesteps=3), (x, y), ["float"]).backends["ann"].accuracy
    assert result.ann == right
    for row in result.rows:
        assert row.outcome is not None
        board = load_board("kapoho_point")
        board = board.model_copy(update={"weight_bits": board.weight_bits.model_copy(update={"value": row.values["weight_bits"]})})
        net = lc.convert(
            model, calibration, board=board, timesteps=row.values["timesteps"], per_channel=row.values["per_channel"], scale="percentile"
        )
        ran = lc.run(net, x)
        assert row.outcome.value == (ran.predictions == y).mean()
        assert row.outcome.synaptic_operations == ran.synaptic_operations
        assert row.outcome.firing_rate == ran.firing_rate
        assert row.outcome.interval95 == wilson(int((ran.predictions == y).sum()), 60)
        assert row.outcome.loss == pytest.approx(right - row.outcome.accuracy)
        assert row.outcome.loss95[0] < row.outcome.loss < row.outcome.loss95[1]


def test_a_float_network_and_a_search_are_swept_too() -> None:
    calibration, x, y = samples()
    result = sweep(board=None, axes={"optimize": ["none", "latency"]}, timesteps=8)
    plain, searched = result.rows
    assert (plain.settings["scale"], plain.settings["hold_back"]) == ("percentile", 0.0)
    assert searched.outcome is not None
    net = lc.convert(small(), calibration, board=None, timesteps=8, optimize="latency")
    assert searched.outcome.timesteps == net.timesteps
    assert searched.outcome.value == (lc.run(net, x, "float").predictions == y).mean()
    assert searched.settings.items() >= net.record.settings.items()


def test_what_cannot_be_converted_is_a_row_with_the_reason() -> None:
    model = nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 10)).eval()
    result = sweep(model, axes={"input_coding": ["analog", "rate"]}, timesteps=4, maxpool="gate")
    failed, fine = result.rows
    assert failed.outcome is None
    assert "max-pools analog input" in failed.reason
    assert fine.outcome is not None
    assert result.complete
    assert result.front("timesteps") == (1,)
    assert "max-pools analog input" in sweep_table(result)
    json.dumps(result.to_json(), allow_nan=False)


def test_rows_say_how_max_pooling_was_computed() -> None:
    for board, way in (("kapoho_point", "relu-tree"), (None, "gate")):
        (row,) = sweep(board=board, axes={"timesteps": [2]}).rows
        assert row.settings["maxpool"] == way


def test_limits_of_the_chip_are_reasons() -> None:
    model = small()
    with torch.no_grad():
        model[3].bias[0], model[3].weight[:, 0] = 1e20, 1e-20  # type: ignore[index, operator]
    (row,) = sweep(model, axes={"timesteps": 4}, bias_correction=False).rows
    assert row.outcome is None
    assert row.reason.startswith("3: ")


def test_finished_points_are_not_run_again(tmp_path: Path, converted: list[Any]) -> None:
    cache = tmp_path / "points"
    first = sweep(axes={"timesteps": [2, 4]}, cache=cache)
    assert len(converted) == 2
    again = sweep(axes={"timesteps": [2, 4, 6]}, cache=cache)
    assert [s.timesteps for s in converted] == [2, 4, 6]
    assert again.rows[:2] == first.rows
    assert sweep(axes={"percentile": [99.9], "timesteps": [4]}, cache=cache).rows[0].outcome == first.rows[1].outcome
    assert len(converted) == 3, "an axis of the default value is the same point"


@pytest.mark.parametrize("other", ["weights", "calibration", "labels", "board", "settings", "code"])
def test_what_a_result_follows_from_is_in_its_key(
    tmp_path: Path, converted: list[Any], other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibration, x, y = samples()
    cache = tmp_path / "points"
    sweep(axes={"timesteps": [2]}, cache=cache)
    model, board, reset = small(), "kapoho_point", "subtract"
    if other == "weights":
        with torch.no_grad():
            model[1].weight[0, 0] += 1  # type: ignore[index, operator]
    elif other == "calibration":
        calibration = calibration[:99]
    elif other == "labels":
        y = np.roll(y, 1)
    elif other == "board":
        board = "nahuku32"
    elif other == "settings":
        reset = "zero"
    else:
        monkeypatch.setattr("loihiconv.evaluation.sweep.sweep.code", lambda: {"loihiconv": "another"})
    lc.sweep(model, calibration, (x, y), board=board, axes={"timesteps": [2]}, cache=cache, reset=reset)
    assert len(converted) == 2


def test_an_interrupted_sweep_gives_what_it_has_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, run = tmp_path / "points", module.run

    def interrupted(network: Any, *rest: Any, **named: Any) -> Any:
        if network.timesteps == 4:
            raise KeyboardInterrupt
        return run(network, *rest, **named)

    monkeypatch.setattr(module, "run", interrupted)
    with pytest.raises(SweepInterrupted) as caught:
        sweep(axes={"timesteps": [2, 4]}, cache=cache)
    partial = caught.value.result
    assert [row.values["timesteps"] for row in partial.rows] == [2]
    assert not partial.complete
    assert partial.points == 2
    monkeypatch.setattr(module, "run", run)
    assert sweep(axes={"timesteps": [2, 4]}, cache=cache) == sweep(axes={"timesteps": [2, 4]})
    assert [path.name for path in tmp_path.iterdir()] == ["points"]


def test_progress_counts_time_steps() -> None:
    seen: list[tuple[str, int, int]] = []
    sweep(axes={"timesteps": [2, 6]}, progress=lambda *report: seen.append(report))
    steps = [(done, total) for stage, done, total in seen if stage == "sweep"]
    assert steps == sorted(steps)
    assert (2, 8) in steps
    assert steps[-1] == (8, 8)
    assert [done for stage, done, _ in seen if stage == "calibration"][-1] == 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"axes": {"timestep": [4]}}, "no such axis: timestep, did you mean 'timesteps'"),
        ({"axes": {"timesteps": [4]}, "colour": 1}, "known are approximate"),
        ({"axes": {"timesteps": []}}, "timesteps: no values"),
        ({"axes": {"reset": ["zero"]}}, "no time steps"),
        ({"axes": {"timesteps": [4, 0]}}, "timesteps 0"),
        ({"axes": {"timesteps": [4], "reset": ["subtract", "none"]}}, "reset 'none'"),
        ({"axes": {"timesteps": [4], "optimize": ["best"]}}, "optimize 'best'"),
        ({"axes": {"timesteps": [4], "percentile": [99, 101]}}, "percentile 101"),
        ({"axes": {"timesteps": [4], "weight_bits": [8, 9]}}, "weight_bits 9; 2 to 8"),
        ({"axes": {"timesteps": [4], "weight_bits": [4]}, "board": None}, "name a board"),
        ({"axes": {"timesteps": [4]}, "timesteps": 8}, "timesteps is an axis and given as well"),
        ({"axes": {"timesteps": [4]}, "on": "all"}, "on 'all'"),
    ],
)
def test_mistakes_are_refused_before_anything_runs(arguments: dict[str, Any], message: str, converted: list[Any]) -> None:
    with pytest.raises(InvalidSetting, match=message):
        sweep(**arguments)
    assert not converted


def test_data_that_does_not_fit_is_refused() -> None:
    calibration, x, y = samples()
    for given, test_set, message in (
        (5, (x, y), "5 as calibration data; an array or tensor"),
        (calibration, (x[:, :, 1:], y), "test set of shape"),
        (calibration, (x[:0], y[:0]), "test set: no samples; at least 1 expected"),
        (calibration, (x, y[1:]), "60 samples and 59 labels"),
    ):
        with pytest.raises(InvalidData, match=message):
            lc.sweep(small(), given, test_set, board="kapoho_point", axes={"timesteps": [4]})  # type: ignore[arg-type]


def test_altered_points_are_refused(tmp_path: Path) -> None:
    cache = tmp_path / "points"
    sweep(axes={"timesteps": [2]}, cache=cache)
    (path,) = (path for path in cache.iterdir() if path.name != "sweep.json")
    content = json.loads(path.read_text())
    content["outcome"]["value"] = "many"
    path.write_text(json.dumps(content))
    with pytest.raises(ArtifactError, match="altered"):
        sweep(axes={"timesteps": [2]}, cache=cache)
