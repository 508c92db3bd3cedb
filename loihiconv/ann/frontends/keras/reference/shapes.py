"""Layers that move values, pad, crop and repeat."""

from __future__ import annotations

from typing import Any

import numpy as np

from loihiconv.ann.frontends.keras.network import Layer
from loihiconv.ann.frontends.keras.reference.rules import back, last, numbers, rule
from loihiconv.ann.frontends.keras.reference.windows import padded
from loihiconv.core.linear import Array


@rule("Flatten")
def _flatten(layer: Layer, x: Array) -> Array:
    return last(layer, x).reshape(len(x), -1)


@rule("Reshape")
def _reshape(layer: Layer, x: Array) -> Array:
    return x.reshape(len(x), *layer.config["target_shape"])


@rule("Permute")
def _permute(layer: Layer, x: Array) -> Array:
    return x.transpose(0, *layer.config["dims"])


@rule("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
def _zero_padding(layer: Layer, x: Array) -> Array:
    x = last(layer, x)
    return back(layer, padded(x, [(0, 0), *_pairs(layer, "padding", x.ndim - 2), (0, 0)]))


@rule("Cropping1D", "Cropping2D", "Cropping3D")
def _cropping(layer: Layer, x: Array) -> Array:
    x = last(layer, x)
    pairs = zip(_pairs(layer, "cropping", x.ndim - 2), x.shape[1:-1], strict=True)
    kept: Any = (slice(None), *(slice(a, n - b) for (a, b), n in pairs))
    return back(layer, x[kept])


def _pairs(layer: Layer, key: str, dims: int) -> list[tuple[int, int]]:
    given = layer.config.get(key, 1)
    if isinstance(given, int):
        return [(given, given)] * dims
    if dims == 1 and all(isinstance(n, int) for n in given):
        return [(given[0], given[-1])]
    return [(n, n) if isinstance(n, int) else (n[0], n[1]) for n in given]


@rule("UpSampling1D", "UpSampling2D")
def _up_sampling(layer: Layer, x: Array) -> Array:
    x = last(layer, x)
    factors = numbers(layer, "size", x.ndim - 2, 2)
    for axis, factor in enumerate(factors, 1):
        x = _bilinear(x, axis, factor) if layer.config.get("interpolation") == "bilinear" else np.repeat(x, factor, axis)
    return back(layer, x)


def _bilinear(x: Array, axis: int, factor: int) -> Array:
    """Interpolated between the centres of pixels."""
    size = x.shape[axis]
    at = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
    low = np.floor(at).astype(int)
    share = (at - low).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    return np.asarray(np.take(x, low, axis) * (1 - share) + np.take(x, np.minimum(low + 1, size - 1), axis) * share)
