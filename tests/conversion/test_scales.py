"""The scale of least error, and what keeps one scale per layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from loihiconv.conversion.calibration import Statistics, calibrate
from loihiconv.conversion.convert import read
from loihiconv.conversion.scales import GRID, SMALLEST, balanced_scales, choose_scales, error_minimising_scales
from loihiconv.conversion.settings import Settings
from tests.conversion.small import data, small_cnn


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


def test_balanced_by_hand() -> None:
    # T = 1: of 1, 1, 1, 4 the last is clipped, 4 / (1 + 3/12) = 3.2, where only it still is
    np.testing.assert_allclose(balanced_scales(np.array([1.0, 4.0]), np.array([[3, 1], [0, 0]]), np.array([9.0, 0.0]), 1), [3.2, 0])
    np.testing.assert_allclose(balanced_scales(np.array([1.0, 4.0]), np.array([[3, 1]]), np.array([3.0]), 1), [3])


@pytest.mark.parametrize("timesteps", [2, 8, 64])
def test_balanced_scales_minimise_clipping_and_rounding(timesteps: int) -> None:
    """Against a search of 4,000 scales, channel by channel."""
    rng = np.random.default_rng(1)
    values = np.linspace(0.005, 8, 1600)
    counts = np.stack([np.histogram(rng.exponential(s, 20_000), np.append(values, 8.005))[0] for s in (0.5, 1.0)])
    found = balanced_scales(values, counts, np.array([8.0, 8.0]), timesteps)
    tried = np.linspace(0.01, 8, 4000)
    for n, scale in zip(counts, found, strict=True):
        cost = [(n * np.maximum(values - s, 0) ** 2).sum() + s**2 / 12 / timesteps**2 * n[values <= s].sum() for s in (*tried, scale)]
        assert cost[-1] <= 1.002 * min(cost)
    assert found[0] < found[1]


@pytest.mark.parametrize("search", [error_minimising_scales, balanced_scales])
@given(st.lists(st.floats(0, 1), min_size=1, max_size=4), st.integers(1, 64))
def test_scales_stay_in_range(search, tops: list[float], timesteps: int) -> None:
    values = np.linspace(0.01, 1, 50)
    scales = search(values, np.ones((len(tops), 50)), np.array(tops), timesteps)
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
        nn.Conv2d(2, 4, 3),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3),
        nn.ReLU(),
        nn.Conv2d(4, 4, 2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4, 3),
    )
    with torch.no_grad():
        model[4].weight.sign_()
    ann = read(model, data(10)[:1]).ann
    scales = choose_scales(ann, calibrate(ann, data(50), per_channel=True), Settings(8))
    assert [scales[name].size for name in ("1", "3", "5", "7")] == [4, 1, 1, 4]


def test_scales_are_percentiles_of_nonzero_activations() -> None:
    model, x = small_cnn(), data(100)
    ann, _ = read(model, x[:1])
    scales = choose_scales(ann, calibrate(ann, x), Settings(1, scale="percentile", percentile=99, per_channel=False))
    with torch.no_grad():
        first = model.eval()[:3](torch.from_numpy(x)).numpy()
    assert float(scales["2"]) == pytest.approx(np.percentile(first[first > 0], 99), rel=2e-3)
