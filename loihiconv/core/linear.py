"""The two linear maps that everything is made of, in plain numpy.

`Dense` and `Conv` carry the weights of float layers, of fixed-point connections and of Lava processes alike. Their
`apply` is the reference that faster kernels are tested against.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Shape: TypeAlias = tuple[int, ...]
Pair: TypeAlias = tuple[int, int]
Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Dense:
    """y = W x on the flattened (channels first) input.

    Parameters
    ----------
    weight : array (out, in)
    """

    weight: Array

    def output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the output, without the batch axis; raises ValueError where the input does not fit."""
        if prod(input_shape) != self.weight.shape[1]:
            raise ValueError(f"{self.weight.shape[1]} inputs expected, got {prod(input_shape)} (shape {input_shape})")
        return (self.weight.shape[0],)

    def apply(self, x: Array) -> Array:
        """Apply to a batch (N, \\*input_shape); the result is (N, out)."""
        return np.asarray(x.reshape(len(x), -1) @ self.weight.T)

    def adjoint(self, y: Array, input_shape: Shape) -> Array:
        """Apply the transposed map to a batch (N, out); the result is (N, \\*input_shape)."""
        return np.asarray((y.reshape(len(y), -1) @ self.weight).reshape(len(y), *input_shape))

    def with_weight(self, weight: Array) -> Dense:
        """The same map with other weights of the same shape."""
        return Dense(weight)


@dataclass(frozen=True, eq=False)
class Conv:
    """Two-dimensional cross-correlation, as ``torch.nn.functional.conv2d`` computes it.

    Parameters
    ----------
    weight : array (C_out, C_in / groups, kH, kW)
    stride, dilation : (vertical, horizontal)
    padding : (top, bottom, left, right)
        Zeros added around the input; negative numbers crop.
    groups : int
    """

    weight: Array
    stride: Pair = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    @property
    def extent(self) -> Pair:
        """Height and width that the kernel covers, dilation included."""
        (kh, kw), (dh, dw) = self.weight.shape[2:], self.dilation
        return (kh - 1) * dh + 1, (kw - 1) * dw + 1

    def output_shape(self, input_shape: Shape) -> Shape:
        """Shape (C_out, H_out, W_out); raises ValueError where the input does not fit."""
        if len(input_shape) != 3 or input_shape[0] != self.weight.shape[1] * self.groups:
            raise ValueError(f"an input of {self.weight.shape[1] * self.groups} channels (C, H, W) expected, got shape {input_shape}")
        top, bottom, left, right = self.padding
        height = (input_shape[1] + top + bottom - self.extent[0]) // self.stride[0] + 1
        width = (input_shape[2] + left + right - self.extent[1]) // self.stride[1] + 1
        if height < 1 or width < 1:
            raise ValueError(
                f"the kernel covers {self.extent[0]}x{self.extent[1]} pixels, more than the padded input of shape {input_shape}"
            )
        return self.weight.shape[0], height, width

    def _pad(self, x: Array) -> Array:
        top, bottom, left, right = self.padding
        x = x[:, :, max(-top, 0) : x.shape[2] - max(-bottom, 0), max(-left, 0) : x.shape[3] - max(-right, 0)]
        return np.pad(x, ((0, 0), (0, 0), (max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0))))

    def columns(self, x: Array) -> Array:
        """What kernels are multiplied with, (groups, N H_out W_out, C_in / groups kH kW), of a batch (N, C, H, W)."""
        _, height, width = self.output_shape(x.shape[1:])
        (sh, sw), (dh, dw) = self.stride, self.dilation
        windows = np.lib.stride_tricks.sliding_window_view(self._pad(x), self.extent, axis=(2, 3))  # type: ignore[call-overload, unused-ignore]  # stubs of numpy 1 know no tuple
        windows = windows[:, :, ::sh, ::sw, ::dh, ::dw]
        columns = windows.reshape(len(x), self.groups, -1, height, width, *self.weight.shape[2:]).transpose(1, 0, 3, 4, 2, 5, 6)
        return np.asarray(columns.reshape(self.groups, len(x) * height * width, -1))

    def apply(self, x: Array) -> Array:
        """Apply to a batch (N, C, H, W); the result is (N, C_out, H_out, W_out)."""
        c_out, height, width = self.output_shape(x.shape[1:])
        n, g = len(x), self.groups
        kernels = self.weight.reshape(g, c_out // g, -1).transpose(0, 2, 1)
        y = (self.columns(x) @ kernels).reshape(g, n, height, width, c_out // g)
        return np.asarray(y.transpose(1, 0, 4, 2, 3).reshape(n, c_out, height, width))

    def adjoint(self, y: Array, input_shape: Shape) -> Array:
        """Apply the transposed map to a batch (N, C_out, H_out, W_out); the result is (N, \\*input_shape)."""
        (c_in, height, width), (sh, sw), (dh, dw) = input_shape, self.stride, self.dilation
        top, bottom, left, right = self.padding
        n, g = len(y), self.groups
        _, c_out, h_out, w_out = y.shape
        padded = np.zeros((n, c_in, height + top + bottom, width + left + right), np.result_type(y, self.weight))
        grouped = y.reshape(n, g, c_out // g, h_out, w_out)
        kernels = self.weight.reshape(g, c_out // g, c_in // g, *self.weight.shape[2:])
        for ky in range(kernels.shape[3]):
            for kx in range(kernels.shape[4]):
                part = np.einsum("ngoyx,goi->ngiyx", grouped, kernels[:, :, :, ky, kx]).reshape(n, c_in, h_out, w_out)
                rows = slice(ky * dh, ky * dh + (h_out - 1) * sh + 1, sh)
                columns = slice(kx * dw, kx * dw + (w_out - 1) * sw + 1, sw)
                padded[:, :, rows, columns] += part
        inverse = Conv(self.weight, padding=(-top, -bottom, -left, -right))
        return inverse._pad(padded)

    def with_weight(self, weight: Array) -> Conv:
        """The same map with other weights of the same shape."""
        return Conv(weight, self.stride, self.padding, self.dilation, self.groups)


LinearMap: TypeAlias = Dense | Conv


class CannotCompose(ValueError):
    """Two linear maps have no product among `Dense` and `Conv`."""


def compose(second: LinearMap, first: LinearMap, input_shape: Shape) -> LinearMap:
    """The map x -> second(first(x)) for inputs of ``input_shape``.

    Raises
    ------
    CannotCompose
        If ``second`` pads what ``first`` returns and the zeros it adds are not what ``first`` would compute beyond
        its border, or if a convolution follows a dense map.
    """
    if isinstance(second, Dense):
        rows = second.weight.reshape(len(second.weight), *first.output_shape(input_shape))
        return Dense(first.adjoint(rows, input_shape).reshape(len(rows), -1))
    if isinstance(first, Dense):
        raise CannotCompose("a convolution after a dense map")
    return _compose_conv(second, first, input_shape)


def _compose_conv(second: Conv, first: Conv, input_shape: Shape) -> Conv:
    padding = (*_composed_padding(second, first, input_shape, 0), *_composed_padding(second, first, input_shape, 1))
    stride = (first.stride[0] * second.stride[0], first.stride[1] * second.stride[1])
    groups = int(np.gcd(first.groups, second.groups))
    outer = ungrouped(second, first.weight.shape[0])
    inner = ungrouped(first, input_shape[0])
    if inner.shape[2:] == (1, 1):
        dilation = (second.dilation[0] * first.stride[0], second.dilation[1] * first.stride[1])
        weight = np.einsum("omyx,mi->oiyx", outer, inner[:, :, 0, 0])
        return Conv(grouped(weight, groups), stride, padding, dilation, groups)
    outer, inner = _dilated(outer, second.dilation), _dilated(inner, first.dilation)
    (ko_y, ko_x), (ki_y, ki_x), (sy, sx) = outer.shape[2:], inner.shape[2:], first.stride
    weight = np.zeros((len(outer), inner.shape[1], (ko_y - 1) * sy + ki_y, (ko_x - 1) * sx + ki_x), np.result_type(outer, inner))
    for y in range(ko_y):
        for x in range(ko_x):
            weight[:, :, y * sy : y * sy + ki_y, x * sx : x * sx + ki_x] += np.einsum("om,miyx->oiyx", outer[:, :, y, x], inner)
    return Conv(grouped(weight, groups), stride, padding, groups=groups)


def _composed_padding(second: Conv, first: Conv, input_shape: Shape, axis: int) -> Pair:
    """Padding (before, after) of the product along one axis, so that it reads just as far as its windows go."""
    size, count = input_shape[axis + 1], first.output_shape(input_shape)[axis + 1]
    stride, extent = first.stride[axis], first.extent[axis]
    first_before, before, after = first.padding[2 * axis], second.padding[2 * axis], second.padding[2 * axis + 1]
    # Zeros around the intermediate result equal zeros around the input only where windows of `first` that lie outside see nothing.
    if before > 0 and extent > stride + first_before:
        raise CannotCompose("padding before what overlapping windows return")
    if after > 0 and count * stride - first_before < size:
        raise CannotCompose("padding after windows that leave border pixels out or overlap")
    total_before = first_before + before * stride
    windows = second.output_shape(first.output_shape(input_shape))[axis + 1]
    reach = (second.extent[axis] - 1) * stride + extent
    total_after = (windows - 1) * second.stride[axis] * stride + reach - total_before - size
    if total_before < -size or total_after < -size:
        raise CannotCompose("windows that see nothing but padding")
    return total_before, total_after


def _dilated(weight: Array, dilation: Pair) -> Array:
    """Weights with the zeros of the dilation written out."""
    kh, kw = weight.shape[2:]
    full = np.zeros((*weight.shape[:2], (kh - 1) * dilation[0] + 1, (kw - 1) * dilation[1] + 1), weight.dtype)
    full[:, :, :: dilation[0], :: dilation[1]] = weight
    return full


def ungrouped(conv: Conv, c_in: int) -> Array:
    """Weights with the zeros between groups written out: (C_out, C_in, kH, kW)."""
    per_in, per_out = c_in // conv.groups, conv.weight.shape[0] // conv.groups
    full = np.zeros((conv.weight.shape[0], c_in, *conv.weight.shape[2:]), conv.weight.dtype)
    for g in range(conv.groups):
        rows = slice(g * per_out, (g + 1) * per_out)
        full[rows, g * per_in : (g + 1) * per_in] = conv.weight[rows]
    return full


def grouped(weight: Array, groups: int) -> Array:
    """Weights (C_out, C_in, kH, kW) without the zeros between groups: (C_out, C_in / groups, kH, kW)."""
    c_out, c_in = weight.shape[0] // groups, weight.shape[1] // groups
    return np.concatenate([weight[g * c_out : (g + 1) * c_out, g * c_in : (g + 1) * c_in] for g in range(groups)])
