"""Between the project's arrays, channels first, and the simulator's: neurons in one axis, images in (H, W, C) order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np
import torch

from loihiconv.core.linear import Array, Conv, LinearMap, Shape, Sparse


def without_idle_strides(linear: LinearMap, source: Shape) -> LinearMap:
    """The same map, whose stride is 1 along an axis on which a convolution has one output: it never steps there.

    oneDNN (in torch 2.14) returns numbers from beside the image for some convolutions of one column that have a larger stride, in
    bytes and in float32, and not in every call. What such a convolution does not reach of its padded input is cropped.
    """
    if not isinstance(linear, Conv):
        return linear
    stride, padding, output = list(linear.stride), list(linear.padding), linear.output_shape(source)
    for axis in (0, 1):
        if output[axis + 1] == 1:
            stride[axis] = 1
            padding[2 * axis + 1] = linear.extent[axis] - source[axis + 1] - padding[2 * axis]
    (sh, sw), (top, bottom, left, right) = stride, padding
    return replace(linear, stride=(sh, sw), padding=(top, bottom, left, right))


@dataclass(frozen=True, eq=False)
class Geometry:
    """A linear map with the shapes that it joins: what a product needs to know beside its weights.

    Attributes
    ----------
    map : Dense, Conv or Sparse
    source, target : tuple of int
        Shapes of the populations.
    """

    map: LinearMap
    source: Shape
    target: Shape

    @cached_property
    def pixelwise(self) -> bool:
        """Whether it is a convolution of single pixels: a matrix product over all of them, which has less to set up."""
        if not isinstance(self.map, Conv) or len(self.target) != 3:
            return False
        return self.map.weight.shape[2:] == (1, 1) and (self.map.stride, self.map.padding, self.map.groups) == ((1, 1), (0, 0, 0, 0), 1)

    @cached_property
    def blind(self) -> bool:
        """Whether it is a convolution whose taps all fall beside the image along an axis, between or beyond its pixels."""
        if not isinstance(self.map, Conv):
            return False
        conv, output = self.map, self.map.output_shape(self.source)
        for axis in (0, 1):
            windows = np.arange(output[axis + 1])[:, None] * conv.stride[axis] - conv.padding[2 * axis]
            places = windows + np.arange(conv.weight.shape[2 + axis]) * conv.dilation[axis]
            if not ((places >= 0) & (places < self.source[axis + 1])).any():
                return True
        return False

    def image(self, x: torch.Tensor) -> torch.Tensor:
        """(N, H W C) of the source as (N, C, H, W) in channels-last memory, without a copy."""
        c, h, w = self.source
        return x.view(len(x), h, w, c).permute(0, 3, 1, 2)

    def flat(self, y: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) of the target as (N, neurons): (H, W, C) order for image-shaped targets, (C, H, W) for flat ones."""
        if len(self.target) == 3:
            y = y.permute(0, 2, 3, 1)
        return y.reshape(len(y), -1)


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


def sparse_channels_last(linear: Sparse, source: Shape, target: Shape) -> Sparse:
    """Synapses between neurons in one axis, images in (H, W, C) order."""
    rows, columns = _places(target)[linear.rows], _places(source)[linear.columns]
    return linear.at(rows, columns, (prod(target),), (prod(source),))


def _places(shape: Shape) -> Array:
    """Where neurons that are counted channels first have their place."""
    return np.argsort(channels_last(np.arange(prod(shape)).reshape(1, *shape), shape)[0])
