"""Activations, as layers and as arguments of layers."""

# ruff: noqa: D103  each function is named after what it translates, and says nothing that its decorator does not

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from loihiconv.ann.frontends.keras.layers.registry import Value, Work, handler, layer

_PLAIN = {
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "elu": "Elu",
    "selu": "Selu",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "exponential": "Exp",
    "mish": "Mish",
    "gelu": "Gelu",
    "celu": "Celu",
}
_LAYERS = ("ReLU", "LeakyReLU", "ELU", "Softmax", "ThresholdedReLU")
_CODE = "write the model with Keras' own layers and activations; code in a file is never carried out"


def activated(work: Work, value: Value, activation: Any) -> Value:
    """A value after an activation, as a configuration names it."""
    if isinstance(activation, dict):
        kind, inner = activation.get("class_name"), activation.get("config")
        if kind in _LAYERS and isinstance(inner, dict):
            return _as_layer(work, value, str(kind), inner)
        activation = inner if isinstance(inner, str) else kind
    if activation in (None, "linear"):
        return value
    if activation in _PLAIN:
        return replace(value, tensor=work.add(_PLAIN[activation], value.tensor))
    if activation in _OTHERS:
        return replace(value, tensor=_OTHERS[activation](work, value))
    raise work.layer.refuse(f"has the activation {activation!r}, which is not known", _CODE)


def _as_layer(work: Work, value: Value, kind: str, config: dict[str, Any]) -> Value:
    translate = handler(kind)
    assert translate is not None  # one of _LAYERS, below
    inner = Work(replace(work.layer, config=config))
    inner.operations, inner.constants = work.operations, work.constants
    return translate(inner, value)


def _bounds(low: float | None, high: float | None) -> list[np.ndarray[Any, Any] | None]:
    return [None if v is None else np.array(v, np.float32) for v in (low, high)]


def _softmax(work: Work, value: Value) -> str:
    return work.add("Softmax", value.tensor, axis=work.along(value, value.rank - 1))


def _log_softmax(work: Work, value: Value) -> str:
    return work.add("LogSoftmax", value.tensor, axis=work.along(value, value.rank - 1))


def _hard_sigmoid(work: Work, value: Value) -> str:
    slope = 1 / 6 if work.layer.keras3 else 0.2
    return work.add("HardSigmoid", value.tensor, alpha=slope, beta=0.5)


def _swish(work: Work, value: Value) -> str:
    return work.add("Mul", value.tensor, work.add("Sigmoid", value.tensor))


def _hard_swish(work: Work, value: Value) -> str:
    return work.add("Mul", value.tensor, work.add("HardSigmoid", value.tensor, alpha=1 / 6, beta=0.5))


def _soft_shrink(work: Work, value: Value) -> str:
    inside = work.add("Clip", value.tensor, *_bounds(-0.5, 0.5))
    return work.add("Sub", value.tensor, inside)


_OTHERS: dict[str, Callable[[Work, Value], str]] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "relu6": lambda work, value: work.add("Clip", value.tensor, *_bounds(0, 6)),
    "hard_tanh": lambda work, value: work.add("Clip", value.tensor, *_bounds(-1, 1)),
    "leaky_relu": lambda work, value: work.add("LeakyRelu", value.tensor, alpha=0.2),
    "hard_sigmoid": _hard_sigmoid,
    **dict.fromkeys(("swish", "silu"), _swish),
    **dict.fromkeys(("hard_swish", "hard_silu"), _hard_swish),
    "soft_shrink": _soft_shrink,
    "tanh_shrink": lambda work, value: work.add("Sub", value.tensor, work.add("Tanh", value.tensor)),
}


@layer("Activation")
def activation(work: Work, x: Value) -> Value:
    return activated(work, x, work.config.get("activation"))


@layer("ReLU")
def relu(work: Work, x: Value) -> Value:
    slope, top = _number(work, "negative_slope", 0.0), work.config.get("max_value")
    if _number(work, "threshold", 0.0):
        raise work.layer.refuse("has a threshold", "train with threshold=0")
    tensor = work.add("LeakyRelu", x.tensor, alpha=slope) if slope else x.tensor
    if top is not None or not slope:
        tensor = work.add("Clip", tensor, *_bounds(None if slope else 0, None if top is None else _number(work, "max_value", 0.0)))
    return replace(x, tensor=tensor)


@layer("LeakyReLU")
def leaky_relu(work: Work, x: Value) -> Value:
    key = "negative_slope" if "negative_slope" in work.config else "alpha"
    return replace(x, tensor=work.add("LeakyRelu", x.tensor, alpha=_number(work, key, 0.3)))


@layer("PReLU")
def prelu(work: Work, x: Value) -> Value:
    alpha = work.weights["alpha"]
    shared = np.moveaxis(alpha, -1, 0) if x.rank > 2 else alpha
    if alpha.ndim != x.rank - 1:
        raise work.layer.refuse(f"has slopes of shape {alpha.shape} on {x.rank - 1} axes", "share slopes as Keras does")
    return Value(work.add("PRelu", work.first(x), shared), x.rank, x.rank > 2)


@layer("ELU")
def elu(work: Work, x: Value) -> Value:
    return replace(x, tensor=work.add("Elu", x.tensor, alpha=_number(work, "alpha", 1.0)))


@layer("ThresholdedReLU")
def thresholded_relu(work: Work, x: Value) -> Value:
    return replace(x, tensor=work.add("ThresholdedRelu", x.tensor, alpha=_number(work, "theta", 1.0)))


@layer("Softmax")
def softmax(work: Work, x: Value) -> Value:
    given = work.config.get("axis", -1)
    if not isinstance(given, int):
        raise work.layer.refuse(f"has axis {given}", "use one axis")
    return replace(x, tensor=work.add("Softmax", x.tensor, axis=work.along(x, work.axis(x, given))))


def _number(work: Work, key: str, default: float) -> float:
    value = work.config.get(key, default)
    if isinstance(value, dict):  # an array, as Keras 2 wrote it now and then
        value = value.get("value", default) if isinstance(value.get("value", default), (int, float)) else default
    return float(default if value is None else value)
