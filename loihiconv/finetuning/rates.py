"""What training puts in the place of ReLUs: rates of T time steps, with the gradients of a clipped ReLU.

Rates are those of clip-floor-shift activations (Bu et al. 2022, "Optimal ANN-SNN conversion for high-accuracy and ultra-low-latency
spiking neural networks", ICLR, arXiv:2303.04347, section 4), or are counted in time, by neurons that integrate and fire. Either way
gradients pass as if nothing were rounded, as in tandem learning (Wu et al. 2021, doi:10.1109/TNNLS.2021.3095724): spikes forward, a float
network backward. With c = r - clip(x / λ, 0, 1) a constant, y = λ (clip(x / λ, 0, 1) + c)::

    dy/dx = 1 where 0 < x < λ, else 0        dy/dλ = r - x / λ where 0 < x < λ, else r

Kernels take arrays (values, channels), whose last axis has one λ each: a pass over memory is what they cost. On other devices than the
CPU the same is written in PyTorch's operations, whose gradients autograd takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from loihiconv.core.linear import Array


def clip_floor_shift(x: Tensor, scale: Tensor, timesteps: int) -> Tensor:
    """λ clip(⌊T x / λ + 1/2⌋ / T, 0, 1): what a neuron gives that sees its whole input before it spikes.

    Parameters
    ----------
    x : tensor (N, \\*shape)
    scale : tensor that broadcasts to x
        λ: one, or one per channel.
    timesteps : int
    """
    if x.device.type != "cpu":
        return straight_through(x, scale, (timesteps * x / scale + 0.5).floor().clamp(0, timesteps) / timesteps)

    def forward(values: Array, scales: Array, result: Array) -> None:
        _quantize(values, scales, timesteps, result)

    return _through(x, scale, forward)


def spiking(x: Tensor, currents: Tensor, scale: Tensor, timesteps: int, start: float, held_back: float) -> tuple[Tensor, Tensor]:
    """What neurons give that integrate and fire and reset by subtraction, as `loihiconv.conversion.spiking` makes them.

    v(0) = start - held_back; per step v <- v + current / λ + held_back / T, a spike where v > 1, v <- v - spike.

    Parameters
    ----------
    x : tensor (N, \\*shape)
        Mean of the currents, through which gradients go.
    currents : tensor (T N, \\*shape), or (N, \\*shape) where they are the same at each step
        All samples' first steps come first.
    scale : tensor
    timesteps : int
    start, held_back : float
        In thresholds.

    Returns
    -------
    rates : tensor (N, \\*shape)
        λ times the spikes per step.
    spikes : tensor (T N, \\*shape)
        λ where there is one, without gradients.
    """
    if x.device.type != "cpu":
        rates, spikes = integrate(currents, len(x), scale, timesteps, start, held_back)
        return straight_through(x, scale, rates), spikes
    spikes = torch.empty((timesteps * len(x), *x.shape[1:]), dtype=torch.float32, memory_format=_format(x))
    given, sent = (_rows(values).reshape(-1, x.numel() // x.shape[1], x.shape[1]) for values in (currents.float(), spikes))

    def forward(values: Array, scales: Array, result: Array) -> None:
        _integrate(given, scales, timesteps, start, held_back, sent, result)

    return _through(x, scale, forward), spikes


def straight_through(x: Tensor, scale: Tensor, rates: Tensor) -> Tensor:
    """λ r with the gradients of the module's first lines, in PyTorch's operations."""
    clipped = (x / scale).clamp(0, 1)
    return scale * (clipped + (rates - clipped).detach())


@torch.no_grad()
def integrate(currents: Tensor, samples: int, scale: Tensor, timesteps: int, start: float, held_back: float) -> tuple[Tensor, Tensor]:
    """Rates r (N, \\*shape) and λ times spikes (T N, \\*shape) of `spiking`'s neurons, in PyTorch's operations."""
    each = (currents / scale + held_back / timesteps).split(samples)
    v, spikes = torch.full_like(each[0], start - held_back), []
    for t in range(timesteps):
        v = v + each[t % len(each)]
        spikes.append((v > 1).to(v.dtype))
        v = v - spikes[-1]
    sent = torch.stack(spikes)
    return sent.mean(0), (sent * scale).flatten(0, 1)


def _through(x: Tensor, scale: Tensor, forward: Callable[[Array, Array, Array], None]) -> Tensor:
    result: Tensor = _Through.apply(x, scale, forward)
    return result


class _Through(Function):
    """What a kernel gives, with the gradients of the module's first lines."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, forward: Callable[[Array, Array, Array], None]) -> Tensor:
        x = x.float().contiguous(memory_format=_format(x))
        y = torch.empty_like(x)
        forward(_rows(x), _per_channel(x, scale), _rows(y))
        ctx.save_for_backward(x, scale, y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        x, scale, y = ctx.saved_tensors
        given = gradients[0].float().contiguous(memory_format=_format(x))
        to_x, to_scale = torch.empty_like(x), np.zeros(x.shape[1])
        _gradients(_rows(x), _per_channel(x, scale), _rows(y), _rows(given), _rows(to_x), to_scale)
        back = torch.from_numpy(to_scale).float()
        return to_x, back.reshape(scale.shape) if scale.numel() == len(back) else back.sum().reshape(scale.shape), None


def _format(x: Tensor) -> torch.memory_format:
    return torch.channels_last if x.ndim == 4 else torch.contiguous_format


def _rows(x: Tensor) -> Array:
    """The memory of a tensor (N, C) or (N, C, H, W) as an array (values, channels); it must lie so."""
    laid = x.detach().contiguous(memory_format=_format(x))
    return (laid.permute(0, 2, 3, 1) if x.ndim == 4 else laid).reshape(-1, x.shape[1]).numpy()


def _per_channel(x: Tensor, scale: Tensor) -> Array:
    return scale.detach().float().reshape(-1).expand(x.shape[1]).contiguous().numpy()


@numba.njit(cache=True, nogil=True)
def _quantize(x: Any, scale: Any, timesteps: Any, y: Any) -> None:
    for m in range(x.shape[0]):
        for c in range(x.shape[1]):
            count = np.floor(timesteps * x[m, c] / scale[c] + np.float32(0.5))
            y[m, c] = scale[c] * min(max(count, np.float32(0)), np.float32(timesteps)) / timesteps


@numba.njit(cache=True, nogil=True)
def _integrate(currents: Any, scale: Any, timesteps: Any, start: Any, held_back: Any, spikes: Any, y: Any) -> None:
    same = currents.shape[0] == 1
    added, first = np.float32(held_back / timesteps), np.float32(start - held_back)
    inverse, each = np.float32(1) / scale, scale / np.float32(timesteps)
    v = np.empty_like(scale)
    for m in range(currents.shape[1]):
        v[:] = first
        for c in range(v.size):
            y[m, c] = 0
        for t in range(timesteps):
            at = 0 if same else t
            for c in range(v.size):
                potential = v[c] + currents[at, m, c] * inverse[c] + added
                fires = potential > np.float32(1)
                v[c] = potential - (np.float32(1) if fires else np.float32(0))
                spikes[t, m, c] = scale[c] if fires else np.float32(0)
                y[m, c] += each[c] if fires else np.float32(0)


@numba.njit(cache=True, nogil=True)
def _gradients(x: Any, scale: Any, y: Any, given: Any, to_x: Any, to_scale: Any) -> None:
    for m in range(x.shape[0]):
        for c in range(x.shape[1]):
            inside = (x[m, c] > 0) and (x[m, c] < scale[c])
            to_x[m, c] = given[m, c] if inside else np.float32(0)
            to_scale[c] += given[m, c] * (y[m, c] - (x[m, c] if inside else np.float32(0))) / scale[c]
