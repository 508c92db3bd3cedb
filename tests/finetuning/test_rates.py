"""Kernels against what other devices do, in PyTorch's operations, and both against the definitions."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor

from loihiconv.finetuning.rates import clip_floor_shift, integrate, spiking, straight_through


def test_gradients_are_those_of_a_clipped_relu() -> None:
    x, scale = torch.tensor([-0.5, 0.3, 0.9, 2.0]).requires_grad_(), torch.tensor(0.8).requires_grad_()
    rates = torch.tensor([0.0, 0.5, 1.0, 1.0])
    y = straight_through(x, scale, rates)
    torch.testing.assert_close(y, rates * 0.8)
    to_x, to_scale = torch.autograd.grad(y.sum(), (x, scale))
    assert to_x.tolist() == [0, 1, 0, 0]
    torch.testing.assert_close(to_scale, torch.tensor(0.5 - 0.3 / 0.8 + 1 + 1))


def drawn(shape: tuple[int, ...], channels: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    scale = torch.rand(channels, *(1,) * (len(shape) - 1)) + 0.5 if channels else torch.tensor(0.8)
    return (torch.randn(6, *shape) * 1.2).requires_grad_(), scale.requires_grad_()


def gradients(y: Tensor, *of: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad((y * torch.arange(y.numel()).reshape(y.shape).sin()).sum(), of)


@pytest.mark.parametrize(("shape", "channels"), [((5,), 5), ((5,), 0), ((3, 4, 2), 3), ((3, 4, 2), 0), ((2, 1, 1), 2)])
def test_clip_floor_shift_is_its_formula(shape: tuple[int, ...], channels: int) -> None:
    x, scale = drawn(shape, channels)
    rates = (4 * x / scale + 0.5).floor().clamp(0, 4) / 4
    expected, found = straight_through(x, scale, rates), clip_floor_shift(x, scale, 4)
    torch.testing.assert_close(found, expected)
    for a, b in zip(gradients(found, x, scale), gradients(expected, x, scale), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("shape", "same"), [*product([(5,), (3, 4, 2)], [True, False])])
def test_neurons_integrate_and_fire(shape: tuple[int, ...], same: bool) -> None:
    x, scale = drawn(shape, shape[0])
    currents = x.detach() if same else torch.cat([x.detach() + 0.4 * (t - 1) for t in range(3)])
    v, sent = torch.full_like(x, 0.1), []
    for t in range(3):
        v = v + (currents if same else currents[6 * t : 6 * t + 6]) / scale.detach() + 0.3 / 3
        sent.append((v > 1).float())
        v = v - sent[-1]
    found, spikes = spiking(x, currents, scale, 3, 0.4, 0.3)
    expected = straight_through(x, scale, torch.stack(sent).mean(0))
    torch.testing.assert_close(spikes, torch.cat(sent) * scale.detach())
    elsewhere, sent_elsewhere = integrate(currents, 6, scale, 3, 0.4, 0.3)
    assert torch.equal(elsewhere, torch.stack(sent).mean(0))
    assert torch.equal(sent_elsewhere, spikes)
    torch.testing.assert_close(found, expected)
    for a, b in zip(gradients(found, x, scale), gradients(expected, x, scale), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
