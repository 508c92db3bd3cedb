"""Layers that shift and scale by constants, and those that do nothing after training."""

# ruff: noqa: D103  each function is named after what it translates, and says nothing that its decorator does not

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from loihiconv.ann.frontends.keras.layers.registry import Value, Work, layer
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Array

_SMALLEST = 1e-7
"""What Normalization divides by at least: keras.backend.epsilon()."""


@layer(
    *("InputLayer", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout"),
    *("GaussianNoise", "ActivityRegularization", "Identity", "RandomFlip", "RandomRotation", "RandomZoom", "RandomContrast"),
    *("RandomTranslation", "RandomBrightness", "RandomHeight", "RandomWidth"),
)
def nothing(work: Work, x: Value) -> Value:
    return x


@layer("BatchNormalization")
def batch_norm(work: Work, x: Value) -> Value:
    given = work.config.get("axis", -1)
    given = given[0] if isinstance(given, list) and len(given) == 1 else given
    if not isinstance(given, int):
        raise work.layer.refuse(f"has axis {given}", "use one axis")
    axis = work.axis(x, given)
    if axis not in (1, x.rank - 1):
        raise work.layer.refuse(f"acts on axis {axis}", "use it on channels")
    mean, var = work.weights["moving_mean"], work.weights["moving_variance"]
    gamma, beta = work.weights.get("gamma", np.ones_like(mean)), work.weights.get("beta", np.zeros_like(mean))
    moved = axis == x.rank - 1
    tensor = work.first(x) if moved else work.logical(x)
    epsilon = float(work.config.get("epsilon", 1e-3))
    return Value(work.add("BatchNormalization", tensor, gamma, beta, mean, var, epsilon=epsilon), x.rank, moved and x.rank > 2)


@layer("Rescaling")
def rescaling(work: Work, x: Value) -> Value:
    scale, offset = (np.asarray(_numbers(work, key, default)) for key, default in (("scale", 1.0), ("offset", 0.0)))
    return _scaled(work, x, scale, offset)


@layer("Normalization")
def normalization(work: Work, x: Value) -> Value:
    if work.config.get("invert"):
        raise work.layer.refuse("is inverted", "put it into the weights of a layer")
    mean, variance = (work.weights.get(key) for key in ("mean", "variance"))
    mean = np.asarray(_numbers(work, "mean", 0.0)) if mean is None else mean
    variance = np.asarray(_numbers(work, "variance", 1.0)) if variance is None else variance
    axes = work.config.get("axis", -1)
    kept = sorted(work.axis(x, a) for a in ([] if axes is None else axes if isinstance(axes, list) else [axes]))
    if mean.size > 1 and mean.size != variance.size:
        raise InvalidModel(f"has {mean.size} means and {variance.size} variances", where=work.layer.name)
    if mean.size > 1 and mean.ndim != x.rank:  # one number per index of the kept axes
        shape = [1] * (x.rank - 1)
        sizes = mean.shape if mean.ndim == len(kept) else (mean.size,)
        for axis, size in zip(kept, sizes, strict=True):
            shape[axis - 1] = size
        mean, variance = mean.reshape(shape), variance.reshape(shape)
    elif mean.ndim == x.rank:
        mean, variance = mean[0], variance[0]
    scale = 1 / np.maximum(np.sqrt(variance), _SMALLEST)
    return _scaled(work, x, scale, -mean * scale)


def _scaled(work: Work, x: Value, scale: Array, offset: Array) -> Value:
    """Scale x + offset, with constants that broadcast to (\\*sizes, channels)."""
    tensor = x.tensor
    for kind, constant, neutral in (("Mul", scale, 1), ("Add", offset, 0)):
        if (constant != neutral).any():
            tensor = work.add(kind, tensor, lying(constant, x))
    return replace(x, tensor=tensor)


def lying(constant: Array, x: Value) -> Array:
    """A constant that broadcasts to (\\*sizes, channels), as the tensor lies."""
    whole = np.asarray(constant, np.float32).reshape((1,) * (x.rank - 1 - constant.ndim) + constant.shape)
    return np.ascontiguousarray(np.moveaxis(whole, -1, 0)) if x.moved else whole


def _numbers(work: Work, key: str, default: float) -> Any:
    value = work.config.get(key)
    value = default if value is None else value
    try:
        return np.asarray(value, np.float32)
    except (TypeError, ValueError) as error:
        raise InvalidModel(f"has {key} {value!r}", where=work.layer.name) from error
