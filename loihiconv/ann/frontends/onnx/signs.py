"""Which results can never be below 0, so that zeros may stand for the padding of a maximum, and a lower bound of 0 changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from loihiconv.ann.frontends.onnx.graph import Operation
from loihiconv.core.linear import Array

_ALWAYS = frozenset({"Relu", "Sigmoid", "HardSigmoid", "Softmax", "Softplus", "Abs", "Exp", "Sqrt", "Shape", "Size"})
_KEEP = frozenset(
    {
        *("Identity", "Dropout", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Expand", "Tile", "Slice", "Split", "Gather"),
        *("MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool", "LpPool", "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"),
        *("DepthToSpace", "SpaceToDepth", "QuantizeLinear", "DequantizeLinear", "Cast", "LeakyRelu", "PRelu", "Upsample"),
    }
)
"""Operators that give nothing below 0 if their first input has nothing below 0."""
_KEEP_ALL = frozenset({"Add", "Sum", "Mul", "Concat", "Mean", "Min"})
"""Operators that need it of all inputs."""


def with_facts(operations: Iterable[Operation], entries: Collection[str], constants: Mapping[str, Array]) -> Iterator[Operation]:
    """Operations that know whether they depend on an input's values, and on nothing below 0."""
    live = {*entries}
    unsigned = {name for name, values in constants.items() if values.dtype.kind in "fiub" and not (values < 0).any()}
    for operation in operations:
        alive = operation.kind not in ("Shape", "Size") and any(name in live for name in operation.inputs)
        if alive:
            live.update(operation.outputs)
        first = operation.inputs[0] if operation.inputs else ""
        known = replace(operation, live=alive, never_negative=first in unsigned, integers=integers_of(operation, constants))
        cut = alive and first not in entries and cuts_off_negative(operation, constants)
        if cut or never_negative(known, unsigned, constants):
            unsigned.update(operation.outputs)
        yield known


def never_negative(operation: Operation, unsigned: Collection[str], constants: Mapping[str, Array]) -> bool:
    """Whether no value of the results can be below 0, given the tensors of which this is known."""
    first = bool(operation.inputs) and operation.inputs[0] in unsigned
    if operation.kind in _ALWAYS:
        return True
    if operation.kind in _KEEP:
        return first
    if operation.kind in _KEEP_ALL:
        return all(name in unsigned for name in operation.inputs)
    if operation.kind == "Max":
        return any(name in unsigned for name in operation.inputs)
    if operation.kind == "Clip":
        return first or _lower_bound(operation, constants) >= 0
    if operation.kind == "Pad":
        return first and (operation.get("mode", "constant") != "constant" or _at_least_0(operation, unsigned))
    return operation.kind == "Resize" and first and operation.get("mode", "nearest") != "cubic"


def _lower_bound(operation: Operation, constants: Mapping[str, Array]) -> float:
    values = constants.get(operation.inputs[1]) if len(operation.inputs) > 1 else None
    return float(np.min(values)) if values is not None and values.size else float(operation.get("min", -np.inf))


def _at_least_0(operation: Operation, unsigned: Collection[str]) -> bool:
    value = operation.inputs[2] if len(operation.inputs) > 2 else ""
    return float(operation.get("value", 0.0)) >= 0 and (not value or value in unsigned)


_ZERO_POINT_OF_RESULT = {
    "QuantizeLinear": 2,
    "QLinearConv": 7,
    "QLinearMatMul": 7,
    "com.microsoft.QGemm": 8,
    "com.microsoft.QLinearAdd": 7,
    "com.microsoft.QLinearGlobalAveragePool": 4,
}
"""Which input says the integers that an operator gives."""


def cuts_off_negative(operation: Operation, constants: Mapping[str, Array]) -> bool:
    """Whether quantization of the result has no integers for values below 0, so that it does a ReLU's work."""
    least, most = integers_of(operation, constants)
    return least < most and bool((_zero_point(operation, constants) == least).all())


def integers_of(operation: Operation, constants: Mapping[str, Array]) -> tuple[int, int]:
    """The least and the largest integer that an operation quantizes to, by the type of its zero point; (0, 0) where it does not."""
    if operation.kind not in _ZERO_POINT_OF_RESULT or (zero := _zero_point(operation, constants)).dtype.kind not in "iu":
        return (0, 0)
    return int(np.iinfo(zero.dtype).min), int(np.iinfo(zero.dtype).max)


def _zero_point(operation: Operation, constants: Mapping[str, Array]) -> Array:
    at = _ZERO_POINT_OF_RESULT[operation.kind]
    if len(operation.inputs) > at and operation.inputs[at]:
        return constants.get(operation.inputs[at], np.zeros(()))
    return np.zeros((), np.float32 if operation.get("output_dtype") else np.uint8)
