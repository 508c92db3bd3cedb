"""Operations on tensors, as ``2 * x - 1`` or ``keras.ops.relu(x)`` write them between layers."""

# ruff: noqa: D103  each function is named after what it translates, and says nothing that its decorator does not

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihiconv.ann.frontends.keras.calls import OPERATION
from loihiconv.ann.frontends.keras.layers.activations import activated, leaky_relu, softmax
from loihiconv.ann.frontends.keras.layers.merging import alike, concatenate
from loihiconv.ann.frontends.keras.layers.registry import Value, Work, layer
from loihiconv.ann.frontends.keras.layers.statistics import lying
from loihiconv.core.linear import Array

_OF_TWO = {"Add": "Add", "Subtract": "Sub", "Multiply": "Mul", "TrueDivide": "Div", "Divide": "Div", "Maximum": "Max", "Minimum": "Min"}
_OF_ONE = {"Negative": "Neg", "Absolute": "Abs"}
_ACTIVATIONS = ("Relu", "Relu6", "Sigmoid", "Tanh", "Softplus", "Exp", "HardSigmoid", "Silu", "HardSilu", "Mish", "Softsign")


@layer(*(OPERATION + kind for kind in _OF_TWO))
def of_two(work: Work, *inputs: Value) -> Value:
    kind, arguments = _OF_TWO[work.layer.kind.removeprefix(OPERATION)], work.layer.arguments
    if len(arguments) != 2 or sum(given is None for given in arguments) != len(inputs):
        raise work.layer.refuse(f"takes {len(arguments)} arguments", "give it two")
    if len(inputs) == 2:
        names, rank, moved = alike(work, inputs)
        return Value(work.add(kind, *names), rank, moved)
    taken: list[str | Array] = [inputs[0].tensor if given is None else _constant(work, given, inputs[0]) for given in arguments]
    return replace(inputs[0], tensor=work.add(kind, *taken))


def _constant(work: Work, given: Array, x: Value) -> Array:
    if given.ndim == x.rank and len(given) == 1:
        given = given[0]
    if given.ndim >= x.rank:
        raise work.layer.refuse(f"takes a constant of shape {given.shape}", "give it one for all samples")
    return lying(given, x)


@layer(*(OPERATION + kind for kind in _OF_ONE))
def of_one(work: Work, x: Value) -> Value:
    return replace(x, tensor=work.add(_OF_ONE[work.layer.kind.removeprefix(OPERATION)], x.tensor))


@layer(*(OPERATION + kind for kind in _ACTIVATIONS))
def activation(work: Work, x: Value) -> Value:
    kind = work.layer.kind.removeprefix(OPERATION)
    return activated(work, x, {"HardSigmoid": "hard_sigmoid", "HardSilu": "hard_silu", "Exp": "exponential"}.get(kind, kind.lower()))


@layer(OPERATION + "Clip")
def clip(work: Work, x: Value) -> Value:
    ends = [work.config.get(key) for key in ("x_min", "x_max")]
    if not all(isinstance(end, (int, float)) for end in ends):
        raise work.layer.refuse(f"has bounds {ends}", "give it two numbers")
    return replace(x, tensor=work.add("Clip", x.tensor, *(np.array(end, np.float32) for end in ends)))


layer(OPERATION + "LeakyRelu")(leaky_relu)
layer(OPERATION + "Concatenate")(concatenate)
layer(OPERATION + "Softmax")(softmax)
