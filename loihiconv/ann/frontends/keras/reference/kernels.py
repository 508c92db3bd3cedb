"""Dense layers and convolutions, as sums over windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from loihiconv.ann.frontends.keras.network import Layer
from loihiconv.ann.frontends.keras.reference.rules import back, last, numbers, rule, seen_windows
from loihiconv.ann.frontends.keras.reference.windows import spread
from loihiconv.core.linear import Array


@rule("Dense")
def _dense(layer: Layer, x: Array) -> Array:
    return np.asarray(x @ layer.weights["kernel"] + layer.weights.get("bias", 0))


@rule("Conv1D", "Conv2D", "Conv3D")
def _conv(layer: Layer, x: Array) -> Array:
    kernel, groups = layer.weights["kernel"], int(layer.config.get("groups", 1))
    seen = seen_windows(layer, last(layer, x), kernel.shape[:-2])  # (N, *out, *k, C)
    dims = kernel.ndim - 2
    parts = zip(np.split(seen, groups, axis=-1), np.split(kernel, groups, axis=-1), strict=True)
    sums = [np.tensordot(part, weights, axes=dims + 1) for part, weights in parts]
    return back(layer, np.concatenate(sums, axis=-1) + layer.weights.get("bias", 0))


@rule("DepthwiseConv1D", "DepthwiseConv2D")
def _depthwise(layer: Layer, x: Array) -> Array:
    return back(layer, _per_channel(layer, last(layer, x)) + layer.weights.get("bias", 0))


@rule("SeparableConv1D", "SeparableConv2D")
def _separable(layer: Layer, x: Array) -> Array:
    pointwise = layer.weights["pointwise_kernel"]
    mixed = _per_channel(layer, last(layer, x)) @ pointwise.reshape(pointwise.shape[-2:])
    return back(layer, mixed + layer.weights.get("bias", 0))


def _per_channel(layer: Layer, x: Array) -> Array:
    kernel = layer.weights["depthwise_kernel"]  # (*k, C, multiplier)
    dims = kernel.ndim - 2
    seen = seen_windows(layer, x, kernel.shape[:-2]).reshape(len(x), -1, *kernel.shape[:-1])  # (N, places, *k, C)
    flat = seen.reshape(len(x), seen.shape[1], -1, kernel.shape[-2])
    sums = np.einsum("npkc,kcm->npcm", flat, kernel.reshape(-1, *kernel.shape[-2:]), optimize=True)
    out = seen_windows(layer, x[:1, ..., :1], kernel.shape[:-2]).shape[1 : 1 + dims]
    return np.asarray(sums.reshape(len(x), *out, -1))


@rule("Conv1DTranspose", "Conv2DTranspose")
def _conv_transpose(layer: Layer, x: Array) -> Array:
    """Every pixel adds its kernel to the result: the gradient of a convolution."""
    x, kernel = last(layer, x), layer.weights["kernel"]  # (*k, out, in)
    dims = kernel.ndim - 2
    size, strides = kernel.shape[:dims], numbers(layer, "strides", dims, 1)
    sums = spread(np.tensordot(x, kernel, axes=((-1,), (-1,))), strides, size)
    if layer.config.get("padding") == "same":
        wanted = [n * s for n, s in zip(x.shape[1:-1], strides, strict=True)]
        cut = [max(0, k - s) // 2 for k, s in zip(size, strides, strict=True)]
        kept: Any = (slice(None), *(slice(c, c + n) for c, n in zip(cut, wanted, strict=True)))
        sums = sums[kept]
    return back(layer, sums + layer.weights.get("bias", 0))
