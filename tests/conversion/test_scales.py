"""The scale of least error, and what keeps one scale per layer."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from loihiconv.conversion import scales as scale_rules
from loihiconv.conversion.calibration import Statistics, calibrate
from loihiconv.conversion.measuring import read
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


def test_scales_are_tried_down_to_a_sixteenth_of_the_largest() -> None:
    """A million ones and one 16 in a single step: at λ = 1 only the latter errs, by 15."""
    assert error_minimising_scales(np.array([1.0, 16.0]), np.array([[10**6, 1]]), np.array([16.0]), 1) == pytest.approx([1.0])


def test_what_is_larger_than_the_largest_counts_as_the_last_that_is_not() -> None:
    """The 4 counts as another 2, which λ = 2 meets; as a 1 it would pull λ to 1.5."""
    assert error_minimising_scales(np.array([1.0, 2.0, 4.0]), np.array([[0, 1, 1]]), np.array([2.0]), 1) == pytest.approx([2.0])


def test_each_channel_has_its_own_largest() -> None:
    """Of 6 scales per octave the second channel takes the best that is not beyond its largest, and the third its largest itself."""
    a = np.sort(np.random.default_rng(0).lognormal(0, 1, 4000))
    largest = np.array([8.0, 3.0, 0.1])
    found = error_minimising_scales(a, np.ones((3, a.size)), largest, 4)
    tried = np.geomspace(SMALLEST, 1, GRID) * 8
    for top, scale in zip(largest[:2], found[:2], strict=True):
        clipped = np.minimum(a, a[a <= top].max())
        assert distortion(clipped, scale, 4) == pytest.approx(min(distortion(clipped, s, 4) for s in tried[tried <= top]))
    assert found[1] < largest[1]
    assert found[2] == 0.1


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


def passed_on(*factors: float) -> nn.Module:
    """A channel for each factor, which passes its input on so many times, before a readout."""
    model = nn.Sequential(nn.Conv2d(1, len(factors), 1, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(len(factors) * 4, 2, bias=False))
    with torch.no_grad():
        model[0].weight[:] = torch.tensor(factors).reshape(-1, 1, 1, 1)
    return model.eval()


SAMPLES = np.random.default_rng(0).random((200, 1, 2, 2)).astype(np.float32)


def scales_of(model: nn.Module, timesteps: int, **settings: Any) -> dict[str, np.ndarray]:
    """λ / Γ of all nodes."""
    ann, wanted = read(model, SAMPLES[:1]).ann, Settings(timesteps, **settings)
    return choose_scales(ann, calibrate(ann, SAMPLES, per_channel=wanted.per_channel), wanted)


def chosen(timesteps: int, **settings: Any) -> np.ndarray:
    """λ / Γ of the rectified layer of three channels."""
    return np.ravel(scales_of(passed_on(1.0, 0.3, 0.01), timesteps, **settings)["1"])


def with_a_quiet_channel(share: float = 1.0, bound: float = inf) -> nn.Module:
    """Four channels of one pixel; the last passes on only the very largest, and little of those, the others a share of all."""
    model = passed_on(share, 0.8 * share, -0.5 * share, 1.0)
    model[0].bias = nn.Parameter(torch.tensor([0.0, 0.0, 0.4 * share, -0.98]))
    if bound < inf:
        model[1] = nn.Hardtanh(0.0, bound)
    return model


def test_a_channel_that_hardly_ever_spikes_yields_range() -> None:
    """Its weight over its λ is the largest of those that do; weights of 1, 0.8 and 0.5 have theirs from their own activations."""
    scale = np.ravel(scales_of(with_a_quiet_channel(), 64)["1"])
    own = np.ravel(chosen_without_yielding(with_a_quiet_channel(), 64))
    np.testing.assert_array_equal(scale[:3], own[:3])
    assert own[3] < 0.2 * scale[3]
    assert 1 / scale[3] == pytest.approx(max(1 / scale[0], 0.8 / scale[1], 0.5 / scale[2]))


def test_no_scale_is_raised_beyond_a_bound() -> None:
    """Weights of 0.1 over a λ of 0.05 would raise that of 1 to 0.5."""
    scale = np.ravel(scales_of(with_a_quiet_channel(0.1, 0.05), 64)["1"])
    assert scale.max() == scale[3] == pytest.approx(0.05)


def test_a_channel_that_is_loud_and_constant_takes_nothing_from_the_others() -> None:
    """It has the largest mean square and next to no weight, to which those of all others would be brought down."""
    model = passed_on(1e-3, 0.8, -0.5, 1.0)
    model[0].bias = nn.Parameter(torch.tensor([30.0, 0.0, 0.4, 0.0]))
    np.testing.assert_array_equal(scales_of(model, 64)["1"], chosen_without_yielding(model, 64))


def test_no_scale_is_raised_beyond_the_largest_of_the_others() -> None:
    """A weight of 1e-3 on an input of 100 times the spread, which all others would have to come down to."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        model[0].weight[:] = torch.tensor([[1.0, 0.0], [0.0, 20.0]])
        model[0].bias[:] = torch.tensor([0.0, -19.95])
    x = np.random.default_rng(0).random((400, 2)).astype(np.float32)
    ann = read(model, x[:1]).ann
    scale = np.ravel(choose_scales(ann, calibrate(ann, x, per_channel=True), Settings(64))["1"])
    assert scale[1] == scale[0]


class Bounded(nn.Module):
    """A bound for each channel."""

    def __init__(self, *bounds: float) -> None:
        super().__init__()
        self.bounds = torch.tensor(bounds).reshape(-1, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.minimum(torch.relu(x), self.bounds)


def test_no_scale_is_raised_beyond_its_own_bound() -> None:
    model = with_a_quiet_channel(0.1)
    model[1] = Bounded(0.05, 0.05, 0.05, 0.03)
    (scale,) = [np.ravel(s) for s in scales_of(model, 64).values() if s.size == 4]
    assert scale[3] == pytest.approx(0.03)


def test_bounds_that_differ_are_no_scales_of_channels() -> None:
    """Per layer, channels have bounds of their own, but no statistics."""
    model = passed_on(1.0, 0.8)
    model[1] = Bounded(0.2, 0.4)
    assert sorted(scale.size for scale in scales_of(model, 8, per_channel=False).values()) == [1, 1, 2]


def chosen_without_yielding(model: nn.Module, timesteps: int) -> np.ndarray:
    """λ of the rectified layer by each channel's own activations."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(scale_rules, "QUIET", 0.0)
        return scales_of(model, timesteps)["1"]


def test_inputs_and_outputs_are_not_clipped() -> None:
    torch.manual_seed(0)
    model = passed_on(1.0, 0.3)
    outputs = model(torch.from_numpy(SAMPLES)).detach().numpy()
    scales = scales_of(model, 8)
    assert float(scales["input"]) == pytest.approx(SAMPLES.max())
    assert float(scales["3"]) == pytest.approx(np.abs(outputs).max())


def test_what_is_silent_has_a_scale_of_one() -> None:
    scales = scales_of(passed_on(-1.0, 0.0), 8, per_channel=False)
    assert (float(scales["1"]), float(scales["3"])) == (1, 1)


@pytest.mark.parametrize(("weights", "sizes"), [((0.5, 0.5), 2), ((-0.5, -0.5), 2), ((0.5, -0.5), 1), ((0.5, -0.4), 2)])
def test_weights_of_one_magnitude_are_binary_where_signs_mix(weights: tuple[float, float], sizes: int) -> None:
    """Those of one sign are an average, which no common scale would keep exact."""
    model = passed_on(1.0, 0.3)
    with torch.no_grad():
        model[3].weight[:] = torch.tensor(weights).repeat(4)
    assert scales_of(model, 8, per_channel=True)["1"].size == sizes


def test_channels_have_a_tenth_of_their_layers_scale_at_least() -> None:
    layer = chosen(1, scale="percentile", percentile=100, per_channel=False)
    np.testing.assert_allclose(chosen(1, scale="percentile", percentile=100, per_channel=True) / layer, [1, 0.3, 0.1], rtol=0.01)


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("scale", ["mse", "balanced", "percentile"])
def test_graded_spikes_are_so_many_more_steps(scale: Any, per_channel: bool) -> None:
    """Payloads of up to 15 over 2 steps make the rates of binary spikes over 30; what is returned stands for a payload of 1."""
    graded = chosen(2, scale=scale, per_channel=per_channel, spike_bits=4)
    np.testing.assert_allclose(15 * graded, chosen(30, scale=scale, per_channel=per_channel))
    assert chosen(2, percentile=None, spike_bits=4).tolist() == [1 / 15]
