"""Between the project's arrays, channels first, and the simulator's: neurons in one axis, images in (H, W, C) order."""

from __future__ import annotations

import numpy as np
import torch

from loihiconv.core.linear import Array, Shape


def spread(values: Array, shape: Shape, dtype: type) -> Array:
    """A broadcastable per-neuron array as (1, neurons)."""
    return channels_last(np.broadcast_to(np.asarray(values, dtype), shape)[None], shape)


def channels_last(x: Array, shape: Shape) -> Array:
    """(N, \\*shape) as (N, neurons)."""
    if len(shape) == 3:
        x = x.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x.reshape(len(x), -1))


def channels_first(x: Array, shape: Shape) -> Array:
    """(..., neurons) as (..., \\*shape)."""
    if len(shape) != 3:
        return x.reshape(*x.shape[:-1], *shape)
    c, h, w = shape
    return np.ascontiguousarray(np.moveaxis(x.reshape(*x.shape[:-1], h, w, c), -1, -3))


def dense_channels_last(weight: torch.Tensor, source: Shape, target: Shape) -> torch.Tensor:
    """A dense weight (out, in) with the rows and columns of images reordered from (C, H, W) to (H, W, C)."""
    if len(source) == 3:
        weight = weight.reshape(-1, *source).permute(0, 2, 3, 1).reshape(len(weight), -1)
    if len(target) == 3:
        weight = weight.reshape(*target, -1).permute(1, 2, 0, 3).reshape(len(weight), -1)
    return weight
