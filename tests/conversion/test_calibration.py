"""Statistics of activations: streamed, and percentiles as numpy has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.conversion.calibration import Statistics, batches
from tests.conversion.small import data, small_cnn


def test_calibration_is_streamed_and_order_does_not_matter() -> None:
    model, x = small_cnn(), data(500)
    whole = lc.convert(model, x, board=None, timesteps=4)
    parts = lc.convert(model, (x[i : i + 7] for i in range(0, 500, 7)), board=None, timesteps=4)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.from_numpy(x), torch.zeros(500)), batch_size=50, shuffle=True)
    shuffled = lc.convert(model, loader, board=None, timesteps=4)
    for other in (parts, shuffled):
        assert other.record.calibration.samples == 500
        for name, scale in whole.record.calibration.scales.items():
            assert other.record.calibration.scales[name] == pytest.approx(scale, rel=1e-5)


@pytest.mark.parametrize("p", [50, 90, 99, 99.9, 99.99, 100])
def test_percentile_against_numpy(p: float) -> None:
    x = np.random.default_rng(0).lognormal(0, 3, (1000, 200)).astype(np.float32)
    x[x < 1] = 0
    statistics = Statistics((200,))
    for part in np.array_split(x, 7):
        statistics.add(part)
    expected = np.percentile(x[x > 0].astype(np.float64), p, method="inverted_cdf")
    assert statistics.percentile(p) == pytest.approx(expected, rel=2**-10)
    assert statistics.nonzero == (x > 0).sum()
    assert statistics.largest == x.max()


@pytest.mark.parametrize("p", [90, 99.9, 100])
def test_channel_percentiles_against_numpy(p: float) -> None:
    x = np.random.default_rng(0).lognormal(0, 3, (300, 4, 20, 5)).astype(np.float32)
    x[x < 1] = 0
    x[:, 2] = 0
    statistics = Statistics((4, 20, 5), per_channel=True)
    for part in np.array_split(x, 7):
        statistics.add(part)
    channels = statistics.channel_percentiles(p)
    assert channels[2] == 0
    for c in (0, 1, 3):
        values = x[:, c][x[:, c] > 0].astype(np.float64)
        assert channels[c] == pytest.approx(np.percentile(values, p, method="inverted_cdf"), rel=2**-6)


@pytest.mark.parametrize("factor", [1e-6, 1e8, 1e30])
def test_channel_percentiles_of_any_magnitude(factor: float) -> None:
    x = (factor * np.random.default_rng(0).lognormal(0, 1, (300, 2, 50))).astype(np.float32)
    statistics = Statistics((2, 50), per_channel=True)
    for part in (x[:1] * 1e-6, x[:150], x[150:]):  # what comes later is larger
        statistics.add(part)
    seen = np.concatenate([x[:1] * 1e-6, x])
    for c, channel in enumerate(statistics.channel_percentiles(99)):
        assert channel == pytest.approx(np.percentile(seen[:, c].astype(np.float64), 99, method="inverted_cdf"), rel=2**-6)
    assert statistics.channel_distributions()[1].sum(axis=1).tolist() == [301 * 50] * 2


def test_large_activations_have_the_rates_of_small_ones() -> None:
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(16, 24, bias=False), nn.ReLU(), nn.Linear(24, 4, bias=False)), np.float32(1e8) * uniform(100, 16)
    network = lc.convert(model, x, board="kapoho_point", timesteps=64)
    expected, found = model(torch.from_numpy(x)).detach().numpy(), lc.run(network, x).outputs
    assert isinstance(found, np.ndarray)
    assert np.corrcoef(expected.ravel(), found.ravel())[0, 1] > 0.99


def uniform(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape, np.float32)


def test_preprocessing_and_a_number_of_samples() -> None:
    x = data(30)
    raw = np.ascontiguousarray(np.rint(100 * x).transpose(0, 2, 3, 1))
    preprocessing = lc.Preprocessing((0.1, 0.2), scale=0.01, layout="HWC")
    expected = lc.convert(small_cnn(), preprocessing.apply(raw[:20]), board="kapoho_point", timesteps=4)
    labelled = torch.utils.data.TensorDataset(torch.from_numpy(raw), torch.zeros(30, dtype=torch.int64))
    for given in (raw, (raw, np.zeros(30)), labelled, torch.utils.data.DataLoader(labelled, 7), iter(raw)):
        net = lc.convert(small_cnn(), given, board="kapoho_point", timesteps=4, preprocessing=preprocessing, samples=20)
        assert net.record.calibration.samples == 20
        assert net.input.preprocessing == preprocessing == net.origin.input.preprocessing  # type: ignore[union-attr]
        assert (lc.run(net, raw[20:]).potentials == lc.run(expected, preprocessing.apply(raw[20:])).potentials).all()


def test_batches_of_a_memory_map_can_be_written_to_and_leave_it_alone(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", x := data(5))
    for batch in batches(np.load(tmp_path / "x.npy", mmap_mode="r"), size=2):
        batch[:] = 7
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), x)


def test_batches_take_tensors_lists_and_pairs() -> None:
    x = data(5)
    for given in (x, torch.from_numpy(x), [x[:2], x[2:]], [(x[:2], np.zeros(2)), (x[2:], np.zeros(3))]):
        np.testing.assert_array_equal(np.concatenate(list(batches(given, size=2))), x)
