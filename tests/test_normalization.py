"""The scale of least error, and what keeps one scale per layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from loihiconv.calibration import Statistics, calibrate
from loihiconv.conversion import read
from loihiconv.normalization import GRID, SMALLEST, choose_scales, error_minimising_scales
from loihiconv.settings import Settings
from tests.test_conversion import data


def distortion(a: np.ndarray, scale: float, timesteps: int) -> float:
    """Li et al. 2021, written down once more: squared error of rates of T steps."""
    return float(((scale / timesteps * np.clip(np.floor(timesteps * a / scale + 0.5), 0, timesteps) - a) ** 2).sum())


@pytest.mark.parametrize("timesteps", [4, 16, 64])
def test_no_other_scale_distorts_less(timesteps: int) -> None:
    a = np.sort(np.random.default_rng(0).lognormal(0, 1, 4000))
    largest = float(np.percentile(a, 99.9))
    (best,) = error_minimising_scales(a, np.ones((1, a.size)), np.array([largest]), timesteps)
    tried = np.geomspace(SMALLEST, 1, GRID) * largest
    clipped = np.minimum(a, a[a <= largest].max())
    assert distortion(clipped, best, timesteps) == pytest.approx(min(distortion(clipped, s, timesteps) for s in tried))


def test_fewer_steps_clip_more_and_outliers_do_not_count() -> None:
    a = np.append(np.sort(np.random.default_rng(0).exponential(1, 5000)), 400.0)
    largest = np.array([np.percentile(a, 99.9)])
    few, many = (error_minimising_scales(a, np.ones((1, a.size)), largest, t)[0] for t in (4, 256))
    assert few < many <= largest[0] < 20


@given(st.lists(st.floats(0, 1), min_size=1, max_size=4), st.integers(1, 64))
def test_scales_stay_in_range(tops: list[float], timesteps: int) -> None:
    values = np.linspace(0.01, 1, 50)
    scales = error_minimising_scales(values, np.ones((len(tops), 50)), np.array(tops), timesteps)
    assert scales.shape == (len(tops),)
    assert ((scales >= 0) & (scales <= tops)).all()


def test_distributions_hold_all_activations() -> None:
    x = np.random.default_rng(0).lognormal(0, 2, (50, 3, 7)).astype(np.float32)
    statistics = Statistics((3, 7), per_channel=True)
    statistics.add(x)
    values, counts = statistics.distribution()
    assert counts.sum() == x.size
    assert (values * counts).sum() == pytest.approx(x.sum(dtype=np.float64), rel=2**-11)
    channels, per_channel = statistics.channel_distributions()
    np.testing.assert_array_equal(per_channel.sum(axis=1), [350] * 3)
    np.testing.assert_allclose(per_channel @ channels, x.sum(axis=(0, 2), dtype=np.float64), rtol=2**-7)


def test_binary_weights_keep_one_scale_per_layer() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 2), nn.ReLU(),
        nn.Flatten(), nn.Linear(4, 3),
    )  # fmt: skip
    with torch.no_grad():
        model[4].weight.sign_()
    ann = read(model, data(10)[:1]).ann
    scales = choose_scales(ann, calibrate(ann, data(50), per_channel=True), Settings(8))
    assert [scales[name].size for name in ("1", "3", "5", "7")] == [4, 1, 1, 4]
