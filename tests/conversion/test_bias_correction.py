"""Bias correction brings mean rates to mean activations, in float and after quantization."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import loihiconv as lc
from loihiconv.conversion.bias_correction import SAMPLES, correct_biases, first_samples, spread_samples, target_rates
from loihiconv.conversion.measuring import read
from loihiconv.core.fixed_point import round_bias
from loihiconv.core.linear import Array
from loihiconv.core.network import IF, Network
from tests.conversion.small import data, small_cnn


def errors(net: Network, targets: dict[str, Array], x: Array, backend: str) -> dict[str, float]:
    """Largest mean error of a channel's rate, per population."""
    counts = lc.run(net, x, backend).spike_counts
    rates = {name: c.reshape(len(c), c.shape[1], -1).mean(axis=(0, 2)) / net.timesteps for name, c in counts.items()}
    return {name: float(np.abs(rates[name] - targets[name]).max()) for name in rates}


@pytest.mark.parametrize(("board", "backend"), [(None, "float"), ("kapoho_point", "emulator"), ("kapoho_bay", "emulator")])
def test_mean_rates_come_closer(board: str | None, backend: str) -> None:
    model, x = small_cnn(), data(SAMPLES)
    plain = lc.convert(model, x, board=board, timesteps=8, percentile=99, optimize="none")
    corrected = lc.convert(model, x, board=board, timesteps=8, percentile=99, optimize="none", bias_correction=True)
    ann = read(model, x[:1]).ann
    scales = plain.record.calibration.scales
    names = {"input": "input", "2": "0", "5": "4", "8": "7", "9": "9"}
    targets = target_rates(ann, {node: np.asarray(scales[name][0]) for node, name in names.items()}, x)
    before, after = errors(plain, targets, x, backend), errors(corrected, targets, x, backend)
    assert all(after[name] < 0.7 * before[name] for name in ("0", "4")), (before, after)
    assert set(targets) >= set(after)
    for population in corrected.populations[1:]:
        assert population.bias.dtype == (np.float32 if board is None else np.int32)  # type: ignore[union-attr]
        on_host = any(c.on_host for c in corrected.incoming(population.name))
        if board is not None and not on_host:
            assert (round_bias(population.bias) == population.bias).all()  # type: ignore[union-attr]


class Rounded(nn.Module):
    """λ floor(L clip(x / λ, 0, 1) + 1/2) / L (QCFS)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.floor(4 * torch.clamp(x / 0.8, 0, 1) + 0.5) / 4 * 0.8


def test_what_training_rounded_is_what_rates_should_be() -> None:
    """With as many time steps and silent ones as levels nothing is lost, so that nothing is to be repaired."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 20), Rounded(), nn.Linear(20, 20), Rounded(), nn.Linear(20, 3)).eval()
    x = np.random.default_rng(0).integers(0, 256, (200, 16)).astype(np.float32) / 255
    exact = lc.convert(model, x, board=None, timesteps=4, silent_steps=4)
    np.testing.assert_allclose(lc.run(exact, x, "float").outputs, model(torch.from_numpy(x)).detach().numpy(), atol=1e-4)


def test_only_biases_change() -> None:
    model, x = small_cnn(), data(SAMPLES)
    plain = lc.convert(model, x, board=None, timesteps=8, optimize="none")
    corrected = correct_biases(plain, {"4": np.full(8, 0.2)}, x)
    changed = [p.name for p, q in zip(plain.populations, corrected.populations, strict=True) if p is not q]
    assert changed == ["4"]
    assert corrected.connections == plain.connections
    assert isinstance(corrected["4"], IF)
    assert correct_biases(plain, {}, x) is plain


def test_samples_are_spread_or_the_first() -> None:
    x = np.arange(1000.0)[:, None]
    assert len(spread_samples(x)) == SAMPLES
    assert spread_samples(x)[-1, 0] > 700
    kept: list[Array] = []
    assert sum(len(b) for b in first_samples(iter([x[:100], x[100:200], x[200:]]), kept)) == 1000
    np.testing.assert_array_equal(np.concatenate(kept), x[:SAMPLES].astype(np.float32))
    assert len(spread_samples(x[:3])) == 3
