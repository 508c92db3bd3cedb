"""The grid of training against what quantization makes of weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loihiconv.core.fixed_point import round_weights
from loihiconv.core.linear import Conv, Dense
from loihiconv.finetuning.weights import factors, on_grid


@pytest.mark.parametrize(("bits", "mixed"), [(8, True), (8, False), (4, True), (4, False)])
def test_weights_are_those_of_quantization(bits: int, mixed: bool) -> None:
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(6, 9)) if mixed else rng.random((6, 9))
    scale = rng.random((6, 1)) + 0.5
    limit = 256 - 2 ** (8 - bits + mixed)
    gain = limit / np.abs(weight * scale).max()
    expected = round_weights(weight * scale * gain, weight_bits=bits, even=mixed) / gain / scale
    given = torch.tensor(weight, requires_grad=True)
    found = on_grid(given, torch.tensor(scale), bits)
    np.testing.assert_allclose(found.detach().numpy(), expected, atol=1e-12)
    found.sum().backward()
    assert bool((given.grad == 1).all())


@pytest.mark.parametrize("linear", [Dense(np.ones((4, 6))), Conv(np.ones((4, 6, 3, 3))), Conv(np.ones((4, 3, 1, 1)), groups=2)])
def test_factors_are_those_of_scaled_maps(linear: Dense | Conv) -> None:
    rng = np.random.default_rng(0)
    before, after = rng.random(6) + 0.1, rng.random(4) + 0.1
    image = (slice(None), None, None) if isinstance(linear, Conv) else slice(None)
    expected = linear.scaled(1 / after[image], before[image]).weight
    found = factors(linear, torch.tensor(before), torch.tensor(after)).numpy()
    np.testing.assert_allclose(np.broadcast_to(found, expected.shape), expected)
