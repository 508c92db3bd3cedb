"""Pooling: largest values and means of windows, of which padding is no part."""

from __future__ import annotations

from typing import Any

import numpy as np

from loihiconv.ann.frontends.keras.network import Layer
from loihiconv.ann.frontends.keras.reference.rules import back, last, numbers, rule, seen_windows
from loihiconv.core.linear import Array


@rule("MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "MaxPool1D", "MaxPool2D", "MaxPool3D")
def _max_pooling(layer: Layer, x: Array) -> Array:
    x = last(layer, x)
    size = numbers(layer, "pool_size", x.ndim - 2, 2)
    seen = seen_windows(layer, x, size, -np.inf, numbers(layer, "strides", x.ndim - 2, size))
    return back(layer, seen.max(axis=_ofseen_windows(x)))


@rule("AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "AvgPool1D", "AvgPool2D", "AvgPool3D")
def _average_pooling(layer: Layer, x: Array) -> Array:
    x = last(layer, x)
    size = numbers(layer, "pool_size", x.ndim - 2, 2)
    steps = numbers(layer, "strides", x.ndim - 2, size)
    counts = seen_windows(layer, np.ones_like(x), size, 0.0, steps).sum(axis=_ofseen_windows(x))  # padding does not count
    return back(layer, seen_windows(layer, x, size, 0.0, steps).sum(axis=_ofseen_windows(x)) / counts)


def _ofseen_windows(x: Array) -> tuple[int, ...]:
    return tuple(range(x.ndim - 1, 2 * x.ndim - 3))


@rule("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalAvgPool1D", "GlobalAvgPool2D")
def _global_average(layer: Layer, x: Array) -> Array:
    return _whole(layer, x, np.mean)


@rule("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GlobalMaxPool1D", "GlobalMaxPool2D")
def _global_max(layer: Layer, x: Array) -> Array:
    return _whole(layer, x, np.max)


def _whole(layer: Layer, x: Array, function: Any) -> Array:
    x, keep = last(layer, x), bool(layer.config.get("keepdims"))
    result = function(x, axis=tuple(range(1, x.ndim - 1)), keepdims=keep)
    return back(layer, result) if keep else np.asarray(result)
