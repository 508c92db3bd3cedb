"""Layers that compute with single values: constants, and results of other layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from loihiconv.ann.frontends.keras.network import Layer
from loihiconv.ann.frontends.keras.reference.rules import rule
from loihiconv.core.linear import Array


@rule(
    *("InputLayer", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout"),
    *("GaussianNoise", "ActivityRegularization", "Identity", "RandomFlip", "RandomRotation", "RandomZoom", "RandomContrast"),
    *("RandomTranslation", "RandomBrightness", "RandomHeight", "RandomWidth", "Activation"),
)
def _nothing(layer: Layer, x: Array) -> Array:
    return x


@rule("BatchNormalization")
def _batch_norm(layer: Layer, x: Array) -> Array:
    axis = layer.config.get("axis", -1)
    x = np.moveaxis(x, axis[0] if isinstance(axis, list) else axis, -1)
    weights = layer.weights
    scale = weights.get("gamma", 1) / np.sqrt(weights["moving_variance"] + float(layer.config.get("epsilon", 1e-3)))
    return np.moveaxis((x - weights["moving_mean"]) * scale + weights.get("beta", 0), -1, axis[0] if isinstance(axis, list) else axis)


@rule("Rescaling")
def _rescaling(layer: Layer, x: Array) -> Array:
    return np.asarray(x * np.asarray(layer.config.get("scale", 1)) + np.asarray(layer.config.get("offset", 0)))


@rule("Normalization")
def _normalization(layer: Layer, x: Array) -> Array:
    mean, variance = (np.asarray(_first(layer.weights.get(key), layer.config.get(key))) for key in ("mean", "variance"))
    axes = layer.config.get("axis", -1)
    axes = [] if axes is None else axes if isinstance(axes, list) else [axes]
    if mean.size > 1:
        shape = [size if axis in [a % x.ndim for a in axes] else 1 for axis, size in enumerate(x.shape)]
        mean, variance = mean.reshape(shape), variance.reshape(shape)
    else:
        mean, variance = mean.reshape(()), variance.reshape(())
    return np.asarray((x - mean) / np.maximum(np.sqrt(variance), 1e-7))


def _first(value: Any, other: Any) -> Any:
    return other if value is None else value


@rule("Add")
def _add(layer: Layer, *inputs: Array) -> Array:
    return np.asarray(sum(inputs[1:], inputs[0]))


@rule("Subtract")
def _subtract(layer: Layer, a: Array, b: Array) -> Array:
    return np.asarray(a - b)


@rule("Multiply")
def _multiply(layer: Layer, *inputs: Array) -> Array:
    product = inputs[0]
    for other in inputs[1:]:
        product = product * other
    return product


@rule("Average")
def _average(layer: Layer, *inputs: Array) -> Array:
    return np.asarray(np.mean(np.broadcast_arrays(*inputs), axis=0))


@rule("Maximum")
def _maximum(layer: Layer, *inputs: Array) -> Array:
    return np.asarray(np.max(np.broadcast_arrays(*inputs), axis=0))


@rule("Minimum")
def _minimum(layer: Layer, *inputs: Array) -> Array:
    return np.asarray(np.min(np.broadcast_arrays(*inputs), axis=0))


@rule("Concatenate")
def _concatenate(layer: Layer, *inputs: Array) -> Array:
    return np.concatenate(inputs, axis=int(layer.config.get("axis", -1)))
