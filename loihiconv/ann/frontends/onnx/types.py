"""What numbers an ONNX file computes with. Here all of them are float32; onnxruntime keeps to the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx


def takes_bytes(model: onnx.ModelProto) -> bool:
    """Whether samples are bytes, as of networks that scale images themselves."""
    import onnx

    constants = {tensor.name for tensor in model.graph.initializer}
    types = {entry.type.tensor_type.elem_type for entry in model.graph.input if entry.name not in constants}
    return types == {onnx.TensorProto.UINT8}


def computes_in_half(model: onnx.ModelProto) -> bool:
    """Whether any number is kept in 16 bits on its way from inputs to outputs."""
    import onnx

    return not {onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16}.isdisjoint(_types(model.graph))


def _types(graph: onnx.GraphProto) -> Iterator[int]:
    """Types of inputs, constants, and what is cast."""
    for entry in graph.input:
        yield entry.type.tensor_type.elem_type
    for tensor in graph.initializer:
        yield tensor.data_type
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name == "to":
                yield attribute.i
            yield attribute.t.data_type
