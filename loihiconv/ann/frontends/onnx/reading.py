"""Read an ONNX file into a `Graph`; nothing in it is carried out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loihiconv.ann.frontends.onnx.graph import STANDARD, Graph, Operation, ordered
from loihiconv.ann.frontends.onnx.naming import SCOPES, named_as_layers
from loihiconv.ann.frontends.onnx.refusals import CHOICES, remedy
from loihiconv.ann.frontends.onnx.signs import with_facts
from loihiconv.core.errors import InvalidModel, LoihiconvError, UnsupportedLayer
from loihiconv.core.linear import Array

if TYPE_CHECKING:
    import onnx

OPSETS = range(7, 26)
"""Versions of ONNX's operators that are known."""
_EXPORT = "export it again"


def read_file(path: Path) -> tuple[Graph, onnx.ModelProto]:
    """The graph of a file, and the file as ONNX itself sees it.

    Raises
    ------
    InvalidModel
        If the file is damaged or contradicts itself, or the package onnx is missing.
    UnsupportedLayer
        If an input is no tensor of samples.
    """
    model = _parsed(path)
    try:
        model = _inlined(model)
        return _graph(model, path), model
    except LoihiconvError:
        raise
    except Exception as error:  # what a damaged file breaks in the package onnx is of many kinds
        raise InvalidModel(
            f"is no valid ONNX model: {type(error).__name__}: {_first_line(error)}", where=str(path), remedy=_EXPORT
        ) from error


def _parsed(path: Path) -> onnx.ModelProto:
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise InvalidModel("onnx is needed for this file", where=str(path), remedy="pip install loihiconv[onnx]") from error
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise InvalidModel("is a damaged or truncated ONNX file", where=str(path), remedy="copy or export it again") from error
    return model


def _inlined(model: onnx.ModelProto) -> onnx.ModelProto:
    if not model.functions:
        return model
    from onnx.inliner import inline_local_functions

    return inline_local_functions(model)


def _graph(model: onnx.ModelProto, path: Path) -> Graph:
    graph = model.graph
    opset = _opset(model, path)
    constants = {_text(tensor.name): _array(tensor, path) for tensor in graph.initializer}
    constants.update((_text(node.output[0]), _constant(node, path)) for node in graph.node if _is_constant(node))
    if graph.sparse_initializer:
        raise InvalidModel("holds sparse tensors", where=str(path), remedy="export it with dense ones")
    inputs = [value for value in graph.input if _text(value.name) not in constants]
    if not inputs or not graph.output:
        what = "takes no input" if not inputs else "returns nothing"
        raise InvalidModel(what, where=str(path), limit="a network from inputs to outputs expected", remedy=_EXPORT)
    sizes = [_sizes(entry, path) for entry in inputs]
    read = [_operation(node, opset, sizes[0][0], path) for node in graph.node if not _is_constant(node)]
    taken, given = tuple(_text(entry.name) for entry in inputs), tuple(_text(exit.name) for exit in graph.output)
    operations = ordered(_named_apart(named_as_layers(read, _scopes(graph))), given, {*constants, *taken})
    used = {*given, *(name for operation in operations for name in operation.inputs)}
    if choice := next((operation for operation in operations if operation.kind in CHOICES), None):  # its graphs take what it does not list
        raise choice.refuse("cannot be converted", remedy(choice.kind))
    if used.isdisjoint(taken):
        raise InvalidModel("the result does not depend on the input", where=str(path))
    return Graph(tuple(with_facts(operations, taken, constants)), constants, taken, given, tuple(sample for _, sample in sizes))


def _opset(model: onnx.ModelProto, path: Path) -> int:
    found = [entry.version for entry in model.opset_import if entry.domain in STANDARD]
    opset = max(found, default=1)
    if opset not in OPSETS:
        raise InvalidModel(
            f"is of opset {opset}",
            where=str(path),
            limit=f"opsets {OPSETS[0]} to {OPSETS[-1]} are read",
            remedy="convert it with onnx.version_converter.convert_version, or export it again",
        )
    return opset


def _sizes(entry: onnx.ValueInfoProto, path: Path) -> tuple[int | None, tuple[int | None, ...] | None]:
    """Batch size and shape of a sample."""
    if not entry.type.HasField("tensor_type"):
        raise UnsupportedLayer("the input is no tensor", where=entry.name, limit="one tensor of samples expected")
    tensor = entry.type.tensor_type
    if not tensor.HasField("shape"):
        return None, None
    sizes = [dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in tensor.shape.dim]
    if len(sizes) < 2:
        raise UnsupportedLayer(
            f"the input has {len(sizes)} axes",
            where=f"{path}: {entry.name}",
            limit="a batch axis and the axes of a sample expected",
            remedy="export the network for inference alone, or cut it out with onnx.utils.extract_model",
        )
    return sizes[0], tuple(sizes[1:])


def _is_constant(node: onnx.NodeProto) -> bool:
    return node.op_type == "Constant" and node.domain in STANDARD and len(node.output) == 1


def _constant(node: onnx.NodeProto, path: Path) -> Array:
    values = [_attribute(attribute, path) for attribute in node.attribute if _text(attribute.name).startswith("value")]
    if len(values) != 1:
        raise InvalidModel("a Constant without a dense value", where=f"{path}: {node.name or node.output[0]}", remedy=_EXPORT)
    value = np.asarray(values[0])
    return value.astype(np.float32) if value.dtype.kind == "f" else value


def _operation(node: onnx.NodeProto, opset: int, batch: int | None, path: Path) -> Operation:
    domain = _text(node.domain)
    kind = _text(node.op_type) if domain in STANDARD else f"{domain}.{_text(node.op_type)}"
    inputs, outputs = (tuple(map(_text, names)) for names in (node.input, node.output))
    name = _text(node.name) or next(filter(None, outputs), kind)
    attributes = {_text(attribute.name): _attribute(attribute, path) for attribute in node.attribute}
    return Operation(name, kind, inputs, outputs, attributes, opset, batch)


def _scopes(graph: onnx.GraphProto) -> dict[str, str]:
    """What exporters noted of the modules that nodes with a name come from."""
    return {
        _text(node.name): _text(entry.value) for node in graph.node if node.name for entry in node.metadata_props if entry.key == SCOPES
    }


def _attribute(attribute: onnx.AttributeProto, path: Path) -> Any:
    import onnx

    if attribute.type == onnx.AttributeProto.TENSOR:
        return _array(attribute.t, path)
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, (str, bytes)):
        return _text(value)
    if isinstance(value, (int, float)):
        return value
    values = tuple(value) if hasattr(value, "__iter__") else (value,)
    return tuple(_text(v) if isinstance(v, bytes) else v for v in values)


def _array(tensor: onnx.TensorProto, path: Path) -> Array:
    """A tensor's values; numbers with a fraction as float32."""
    import onnx

    where = f"{path}: {tensor.name}" if tensor.name else str(path)
    base = _folder(tensor, path, where) if tensor.data_location == onnx.TensorProto.EXTERNAL else ""
    try:
        values = np.asarray(onnx.numpy_helper.to_array(tensor, base))
        if values.dtype.kind in "biuOSU":
            return values
        with np.errstate(over="ignore"):  # what is beyond float32 is found to be infinite where it is used
            return values.astype(np.int8 if "int" in values.dtype.name else np.float32)  # int4 is no integer to numpy
    except Exception as error:
        raise InvalidModel(
            f"a tensor of shape {tuple(tensor.dims)} cannot be read: {_first_line(error)}", where=where, remedy="copy or export it again"
        ) from error


def _folder(tensor: onnx.TensorProto, path: Path, where: str) -> str:
    """The model's folder, once it is sure that the tensor's values are in a file there and nowhere else."""
    location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
    base = path.resolve().parent
    file = (base / location).resolve()
    if not location or not file.is_relative_to(base):
        raise InvalidModel(
            f"keeps values in {location!r}",
            where=where,
            limit="only files in the model's own folder are read",
            remedy="save it in one file",
        )
    if not file.is_file():
        raise InvalidModel(f"keeps values in {location!r}, which is not there", where=where, remedy="copy that file too")
    return str(base)


def _named_apart(operations: list[Operation]) -> Iterator[Operation]:
    """Operations with names of their own, which the format does not ask for."""
    seen: set[str] = set()
    for operation in operations:
        name, count = operation.name, 1
        while name in seen:
            name, count = f"{operation.name}_{count}", count + 1
        seen.add(name)
        yield operation if name == operation.name else replace(operation, name=name)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


def _text(value: str | bytes) -> str:
    """A name; of one that is no text, as of a damaged file, there are only bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value
