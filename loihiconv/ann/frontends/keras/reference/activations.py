"""Activations of Keras in NumPy, from their definitions (https://keras.io/api/layers/activations)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import erf, sqrt
from typing import Any, TypeAlias

import numpy as np

from loihiconv.ann.frontends.keras.network import Layer
from loihiconv.ann.frontends.keras.reference.rules import Rule, rule
from loihiconv.core.linear import Array

Config: TypeAlias = Mapping[str, Any]
Weights: TypeAlias = Mapping[str, Array]

_SELU = (1.0507009873554805, 1.6732632423543772)
_ERF = np.vectorize(erf, otypes=[np.float64])


def activated(layer: Layer, x: Array) -> Array:
    """The result of a layer after its argument ``activation``."""
    activation = layer.config.get("activation")
    if isinstance(activation, dict):
        kind, config = activation.get("class_name"), activation.get("config")
        if kind in LAYERS and isinstance(config, dict):
            return LAYERS[kind](x, config, {})
        activation = config if isinstance(config, str) else kind
    if activation is None:
        return x
    if activation == "hard_sigmoid" and not layer.keras3:
        return np.clip(0.2 * x + 0.5, 0, 1)
    return FUNCTIONS[activation](x)


def _softmax(x: Array, axis: int = -1) -> Array:
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def _elu(x: Array, alpha: float = 1.0) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))


def _leaky(x: Array, slope: float) -> Array:
    return np.where(x > 0, x, slope * x)


def _softplus(x: Array) -> Array:
    return np.logaddexp(0, x)


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "leaky_relu": lambda x: _leaky(x, 0.2),
    "elu": _elu,
    "selu": lambda x: _SELU[0] * _elu(x, _SELU[1]),
    "sigmoid": _sigmoid,
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "swish": lambda x: x * _sigmoid(x),
    "silu": lambda x: x * _sigmoid(x),
    "hard_swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "tanh_shrink": lambda x: x - np.tanh(x),
    "celu": _elu,
    "gelu": lambda x: 0.5 * x * (1 + _ERF(x / sqrt(2))),
    "mish": lambda x: x * np.tanh(_softplus(x)),
    "tanh": np.tanh,
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "exponential": np.exp,
    "softmax": _softmax,
    "log_softmax": lambda x: np.log(_softmax(x)),
}


def _relu_layer(x: Array, config: Config, weights: Weights) -> Array:
    """max_value above, negative_slope (x - threshold) below the threshold."""
    slope, threshold = float(config.get("negative_slope") or 0), float(config.get("threshold") or 0)
    y = np.where(x >= threshold, x, slope * (x - threshold))
    return y if config.get("max_value") is None else np.minimum(y, float(config["max_value"]))


def _leaky_layer(x: Array, config: Config, weights: Weights) -> Array:
    slope = config.get("negative_slope", config.get("alpha", 0.3))
    return _leaky(x, float(slope["value"] if isinstance(slope, dict) else slope))


def _threshold_layer(x: Array, config: Config, weights: Weights) -> Array:
    return np.where(x > float(config.get("theta", 1)), x, 0)


LAYERS: dict[str, Callable[[Array, Config, Weights], Array]] = {
    "ReLU": _relu_layer,
    "LeakyReLU": _leaky_layer,
    "PReLU": lambda x, config, weights: np.where(x > 0, x, weights["alpha"] * x),
    "ELU": lambda x, config, weights: _elu(x, float(config.get("alpha", 1))),
    "ThresholdedReLU": _threshold_layer,
    "Softmax": lambda x, config, weights: _softmax(x, int(config.get("axis", -1))),
}


def _as_rule(function: Callable[[Array, Config, Weights], Array]) -> Rule:
    return lambda layer, x: function(x, layer.config, layer.weights)


for _kind, _function in LAYERS.items():
    rule(_kind)(_as_rule(_function))
