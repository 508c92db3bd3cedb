"""Linear maps that treat every channel alike: interpolation, and means over windows that are not all alike."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

from functools import reduce
from math import prod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy.sparse import csr_array, eye_array, kron
from torch import nn

from loihiconv.ann.frontends.layers.moves import moved
from loihiconv.ann.frontends.registry import Call, Result, Signal, on_function, on_module
from loihiconv.ann.graph import Linear, arranged
from loihiconv.core.linear import from_matrix

TOLERANCE = 1e-5


@on_function(F.interpolate)
def interpolate(
    call: Call, input: Signal, size: Any = None, scale_factor: Any = None, mode: str = "nearest", *options: Any, **named: Any
) -> Any:
    return moved(call, input) if mode.startswith("nearest") else each_channel(call, input)


@on_module(nn.Upsample, nn.UpsamplingBilinear2d)
def upsample(call: Call, module: nn.Upsample, input: Signal) -> Any:
    return interpolate(call, input, mode=module.mode)


def each_channel(call: Call, input: Signal) -> Result:
    """An operation that is linear, the same for every channel, and acts on one axis of space after the other.

    Its matrix along each axis is what it gives for inputs that are one at one place of the axis, and all along the others.
    """
    space = input.shape[2:]
    ones = _response(call, input, torch.ones(1, 1, *space, dtype=torch.float64))[0]
    at = tuple(np.argwhere(ones != 0)[np.count_nonzero(ones) // 2]) if ones.any() else ()
    if not at:
        raise call.refuse("gives nothing but zeros", "leave it out")
    axes = []
    for axis, length in enumerate(space):
        shape = [length, 1, *(length if a == axis else 1 for a in range(len(space)))]
        probes = torch.eye(length, dtype=torch.float64).reshape(shape).expand(length, 1, *space).contiguous()
        along = (slice(None), *(slice(None) if a == axis else place for a, place in enumerate(at)))
        response = _response(call, input, probes)[along]
        axes.append(csr_array(response.T / (ones[at] if axis else 1.0)))
    per_channel = reduce(lambda a, b: kron(a, b, "csr"), axes)
    probe = torch.rand(1, 1, *space, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    if not np.allclose(per_channel @ probe.numpy().ravel(), _response(call, input, probe).ravel(), atol=TOLERANCE):
        raise call.refuse("is no linear map of each channel, axis by axis", "use nearest or bilinear interpolation, or average pooling")
    channels = input.shape[1]
    matrix = kron(eye_array(channels), per_channel, "csr")
    map = from_matrix(matrix, arranged((channels, *call.shape[2:])), arranged(input.shape[1:]))
    assert prod(map.outputs) == prod(call.shape[1:])
    return Linear(call.name, (input.name,), map)


def _response(call: Call, input: Signal, x: torch.Tensor) -> Any:
    """What the operation gives for (N, 1, \\*space), without the axis of channels."""
    return call.repeat({input: x})[:, 0].double().numpy()
