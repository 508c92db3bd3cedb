"""Operations on tensors, which are called between layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from loihiconv.ann.frontends.keras.calls import OPERATION
from loihiconv.ann.frontends.keras.network import Layer
from loihiconv.ann.frontends.keras.reference.activations import FUNCTIONS, LAYERS
from loihiconv.ann.frontends.keras.reference.rules import Rule, rule
from loihiconv.core.linear import Array

_OF_TWO: dict[str, Callable[[Array, Array], Array]] = {
    "Add": np.add,
    "Subtract": np.subtract,
    "Multiply": np.multiply,
    "TrueDivide": np.divide,
    "Divide": np.divide,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
}
_OF_ONE: dict[str, Callable[[Array], Array]] = {
    "Negative": np.negative,
    "Absolute": np.abs,
    "Exp": np.exp,
    "Relu": FUNCTIONS["relu"],
    "Relu6": FUNCTIONS["relu6"],
    "Sigmoid": FUNCTIONS["sigmoid"],
    "Tanh": FUNCTIONS["tanh"],
    "Softplus": FUNCTIONS["softplus"],
    "HardSigmoid": FUNCTIONS["hard_sigmoid"],
    "Silu": FUNCTIONS["silu"],
    "HardSilu": FUNCTIONS["hard_silu"],
    "Mish": FUNCTIONS["mish"],
    "Softsign": FUNCTIONS["softsign"],
}


def _two(function: Callable[[Array, Array], Array]) -> Rule:
    def computed(layer: Layer, *inputs: Array) -> Array:
        rest = iter(inputs)
        a, b = (next(rest) if given is None else given for given in layer.arguments)
        return function(a, b)

    return computed


def _one(function: Callable[[Array], Array]) -> Rule:
    return lambda layer, x: function(x)


for _kind, _function in _OF_TWO.items():
    rule(OPERATION + _kind)(_two(_function))
for _kind, _of_one in _OF_ONE.items():
    rule(OPERATION + _kind)(_one(_of_one))


@rule(OPERATION + "LeakyRelu")
def _leaky(layer: Layer, x: Array) -> Array:
    return np.where(x > 0, x, float(layer.config["negative_slope"]) * x)


@rule(OPERATION + "Clip")
def _clip(layer: Layer, x: Array) -> Array:
    return np.clip(x, layer.config["x_min"], layer.config["x_max"])


@rule(OPERATION + "Concatenate")
def _concatenate(layer: Layer, *inputs: Any) -> Array:
    return np.concatenate(inputs, axis=int(layer.config.get("axis", -1)))


@rule(OPERATION + "Softmax")
def _softmax(layer: Layer, x: Array) -> Array:
    return LAYERS["Softmax"](x, layer.config, {})
