"""Weights on the grid that a board will round them to, with straight-through gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from loihiconv.core.linear import Conv, Dense


def on_grid(weight: Tensor, factors: Tensor, bits: int) -> Tensor:
    """The nearest weights of so many bits with one step for all of them, as `loihiconv.conversion.gains` chooses it.

    Weights of a connection share a gain, by which the largest of λ_before w / λ_after becomes the largest that there is. Where signs mix,
    weights are even, so that there are 2^(b-1) - 1 steps on either side of 0, else 2^b - 1. Gradients pass as if nothing were rounded
    (Bengio et al. 2013, arXiv:1308.3432).

    Parameters
    ----------
    weight : tensor
    factors : tensor that broadcasts to it
        λ_before / λ_after.
    bits : int
    """
    with torch.no_grad():
        scaled = weight * factors
        mixed = bool((scaled < 0).any() and (scaled > 0).any())
        step = scaled.abs().max().clamp(min=1e-30) / (2 ** (bits - mixed) - 1)
        change: Tensor = torch.round(scaled / step) * step / factors - weight
    return torch.add(weight, change)


def factors(linear: Dense | Conv, before: Tensor, after: Tensor) -> Tensor:
    """λ_before / λ_after for each weight.

    Parameters
    ----------
    linear : Dense or Conv
    before : tensor (inputs,) of a dense layer, (channels,) of a convolution
    after : tensor (outputs,) or (channels,)
    """
    if isinstance(linear, Dense):
        return before[None, :] / after[:, None]
    outputs, inputs = linear.weight.shape[:2]
    rows = before.reshape(linear.groups, 1, inputs).expand(-1, outputs // linear.groups, -1).reshape(outputs, inputs)
    return (rows / after[:, None])[:, :, None, None]
