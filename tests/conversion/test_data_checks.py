"""Calibration data that is not what the network was trained on is noticed; good data is not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.conversion.data_checks import suspicions
from loihiconv.demo import digits, digits_cnn


def trained_with_norm() -> nn.Module:
    """A network whose batch norm has seen uniform noise."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))
    with torch.no_grad():
        for _ in range(60):
            model(torch.rand(64, 1, 8, 8))
    return model.eval()


def uniform(n: int = 100) -> np.ndarray:
    return np.random.default_rng(0).random((n, 1, 8, 8), np.float32)


@pytest.mark.parametrize("factor", [255, 1 / 255])
def test_wrong_scale_is_seen_by_batch_norm(factor: float) -> None:
    (said,) = suspicions(trained_with_norm(), np.float32(factor) * uniform())
    assert "1 (batch norm) sees values spread" in said
    assert "preprocess" in said


def test_bytes_without_batch_norm() -> None:
    x = np.rint(255 * uniform())
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 5))
    assert "look like bytes" in suspicions(model, x.astype(np.float32))[0]


class Scaled(nn.Module):
    """Divides its input by something, and adds a constant to it."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.layer, self.by = nn.Linear(64, 5), by

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.layer((x / self.by - 0.5).flatten(1))
        return out


def test_whole_numbers_are_no_bytes_where_the_model_divides_them_or_they_are_larger() -> None:
    x = np.rint(255 * uniform())
    assert not suspicions(Scaled(255), x)
    assert "look like bytes" in suspicions(Scaled(2), x)[0]
    assert "look like 16-bit values of an image" in suspicions(nn.Sequential(nn.Flatten(), nn.Linear(64, 5)), 100 * x)[0]
    assert not suspicions(nn.Sequential(nn.Flatten(), nn.Linear(64, 5)), 1e6 * x)


@pytest.mark.parametrize(("value", "said"), [(0.5, "all 60 samples are the same"), (0, "all 60 samples are 0")])
def test_samples_that_are_all_the_same_are_said_and_nothing_else(value: float, said: str) -> None:
    with pytest.warns(UserWarning, match="calibration data") as caught:
        lc.convert(digits_cnn(), np.full((60, 1, 8, 8), value, np.float32), board=None, timesteps=4)
    assert [said in str(warning.message) for warning in caught] == [True]


def test_very_few_samples_are_said() -> None:
    with pytest.warns(UserWarning, match="calibration data: 3 samples only"):
        lc.convert(digits_cnn(), digits()[0][:3], board=None, timesteps=4)


def test_one_class_only_is_said_by_convert() -> None:
    x, y, _, _ = digits()
    with pytest.warns(UserWarning, match=r"the network names class 3 on \d+ of \d+ samples"):
        lc.convert(digits_cnn(), x[y == 3], board=None, timesteps=4)


def test_good_data_raises_no_suspicion() -> None:
    x, _, _, _ = digits()
    assert suspicions(digits_cnn(), x[:256]) == ()
    model = trained_with_norm()
    model[4].bias.data = 10 * torch.eye(5)[0]  # names one class, but too few samples to say so
    assert suspicions(model, uniform(20)) == ()


def test_outliers_are_said_with_their_number() -> None:
    x = digits()[0][:200].copy()
    x[3, 0, 0, 0] = x[7, 0, 1, 1] = 1000
    with pytest.warns(UserWarning, match=r"values up to 1e\+03 in 2 of 200 samples, \S+ times the 99.9th percentile"):
        lc.convert(digits_cnn(), x, board=None, timesteps=4)
    with pytest.warns(UserWarning, match=r"values up to 1e\+03, \S+ times"):
        lc.convert(digits_cnn(), iter([x]), board=None, timesteps=4)
