"""The chain of stages: it adds up, it starts and ends where back ends do, and steps that change nothing cost nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import loihiconv as lc
from loihiconv.core.errors import InvalidData, InvalidSetting
from loihiconv.demo import digits_cnn
from loihiconv.evaluation.explain.waterfall import waterfall
from tests.evaluation.good import converted, data

KEYS = ["ann", "rewritten", "clipped", "steps", "spikes", "float", "weights", "biases", "emulator"]


@pytest.mark.parametrize("options", [{}, {"timesteps": 3}, {"percentile": 50}, {"board": "nahuku32"}, {"input_coding": "rate"}])
def test_steps_add_up_and_end_where_the_emulator_does(options: dict[str, object]) -> None:
    x, y = data()[2][:120], data()[3][:120]
    net = converted(**options)
    result = waterfall(digits_cnn(), net, (x, y), layer_samples=16)
    assert [step.key for step in result.steps] == KEYS
    correct = [round(step.accuracy * result.n) for step in result.steps]
    losses = [step.step.lost - step.step.gained for step in result.steps[1:] if step.step]
    assert correct[0] - sum(losses) == correct[-1]
    assert sum(losses) == result.total.lost - result.total.gained
    assert result["float"].accuracy == np.mean(lc.run(net, x, "float").predictions == y)
    assert result["emulator"].accuracy == np.mean(lc.run(net, x).predictions == y)
    assert [layer.population for layer in result.layers] == [p.name for p in net.populations[1:]]
    for layer in result.layers:
        assert list(layer.errors) == KEYS[1:]
        assert layer.errors["rewritten"].rms <= 1e-5 * max(1, layer.activation_rms)
        assert layer.error == layer.errors["emulator"]


def test_what_changes_nothing_costs_exactly_nothing() -> None:
    x, y = data()[2][:60], data()[3][:60]
    result = waterfall(digits_cnn(), converted(bias_correction=False), (x, y), layer_samples=8)
    for key in ("float", "emulator"):
        last = result[key]
        assert last.same
        assert last.step is not None
        assert (last.loss, last.step.interval95, last.step.p_value) == (0, (0.0, 0.0), 1)
    assert result["rewritten"].loss == 0


class Residual(nn.Module):
    """A block with an identity skip and one that changes size, batch norms, max-pooling and a joined branch, as users write them."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c, self.d = (nn.Conv2d(i, 6, 3, padding=1) for i in (1, 6, 6, 6))
        self.norms = nn.ModuleList(nn.BatchNorm2d(6) for _ in range(4))
        self.down, self.fc = nn.Conv2d(6, 6, 1, 2), nn.Linear(6, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.norms[0](self.a(x)))
        x = F.relu(x + self.norms[1](self.b(x)))
        y = F.max_pool2d(F.relu(self.norms[2](self.c(x))), 2)
        y = F.relu(self.down(x) + self.norms[3](self.d(y)))
        return F.relu(self.fc(y.mean((2, 3))))


@pytest.mark.parametrize("options", [{}, {"board": None, "timesteps": 5}, {"optimize": "none"}])
def test_of_a_residual_network_rewriting_changes_nothing(options: dict[str, Any], tmp_path: Path) -> None:
    """With the defaults: biases are corrected, charge is held back, and both are steps of their own."""
    torch.manual_seed(0)
    model, x = Residual().train(), data()[2][:40]
    model(torch.from_numpy(data()[0][:300]))
    net = lc.convert(model.eval(), data()[0][:100], **{"board": "kapoho_point", "timesteps": 16, **options})
    net.save(tmp_path / "net.lnet")
    result = waterfall(model, lc.load(tmp_path / "net.lnet"), (x, data()[3][:40]), layer_samples=40)
    rewritten = result["rewritten"].step
    assert rewritten is not None
    assert (rewritten.loss, rewritten.changed) == (0, False)
    for layer in result.layers:
        assert layer.errors["rewritten"].rms <= 1e-4 * max(1e-3, layer.activation_rms), layer.population
    assert result["float"].same == (options.get("optimize") == "none")


def test_recordings_stand_in_for_runs_and_add_stages() -> None:
    x, y = data()[2][:40], data()[3][:40]
    net = converted()
    emulator = lc.run(net, x)
    wrong = np.where(np.arange(40) < 10, (y + 1) % 10, y)
    result = waterfall(digits_cnn(), net, (x, y), recorded={"emulator": emulator, "hardware": wrong}, layer_samples=8)
    assert [step.key for step in result.steps] == [*KEYS, "hardware"]
    assert result["hardware"].accuracy == 0.75
    assert "hardware" in result
    assert result.total.lost - result.total.gained == 10 - (40 - round(40 * result.steps[0].accuracy))
    with pytest.raises(InvalidData, match=r"hardware: recorded 39 samples, the test set has 40"):
        waterfall(digits_cnn(), net, (x, y), recorded={"hardware": wrong[:39]})


def test_a_float_network_has_a_shorter_chain() -> None:
    x, y = data()[2][:20], data()[3][:20]
    assert [s.key for s in waterfall(digits_cnn(), converted(board=None), (x, y), layer_samples=4).steps] == KEYS[:6]


def test_refusals() -> None:
    x, y = data()[2][:4], data()[3][:4]
    with pytest.raises(InvalidSetting, match="without its float origin"):
        waterfall(digits_cnn(), replace(converted(), origin=None), (x, y))
    with pytest.raises(InvalidSetting, match="layer_samples 0"):
        waterfall(digits_cnn(), converted(), (x, y), layer_samples=0)
