"""Whole ONNX files of many operators, and damage to them, for `fuzz`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from fuzz_mutations import NUMBERS, WORDS, Random, of_bytes, pick
from fuzz_small import network, written

SHAPE = (1, 4, 4)
"""Of a sample."""
KINDS = (
    *("Relu", "Conv", "Gemm", "MatMul", "Einsum", "ArgMax", "TopK", "Add", "Sub", "Mul", "Div", "Pow", "Mod", "Max", "Min", "Sum", "Mean"),
    *("Where", "Greater", "LessOrEqual", "Equal", "Not", "And", "Sign", "Abs", "Sqrt", "Exp", "Erf", "Sigmoid", "Tanh", "Softmax", "Cast"),
    *("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Pad", "Slice", "Gather", "Concat", "Split", "Expand", "Tile", "Resize"),
    *("Upsample", "MaxPool", "AveragePool", "LpPool", "GlobalMaxPool", "ConvTranspose", "DepthToSpace", "BatchNormalization", "LRN"),
    *("LayerNormalization", "ReduceMean", "ReduceSum", "ReduceProd", "Clip", "LeakyRelu", "PRelu", "HardSwish", "QuantizeLinear"),
    *("DequantizeLinear", "ConstantOfShape", "Range", "Shape", "Size", "Identity", "Dropout", "Loop", "Scan", "If", "LSTM", "NonZero"),
    *("Constant", "Nothing"),
)


def whole() -> list[bytes]:
    """A network as PyTorch exports it, and what that does not show: activations by hand, products by equation, choices, ..."""

    def export(path: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(network(), (torch.zeros(1, *SHAPE),), str(path), dynamo=False)

    return [written(export), *(make() for make in _BY_HAND)]


def _w(*shape: int) -> Any:
    return np.random.default_rng(1).normal(0, 0.5, shape).astype(np.float32)


def _file(nodes: str, constants: Mapping[str, Any], *, change: Callable[[Any], None] | None = None, opset: int = 17) -> bytes:
    """A file from nodes, "kind inputs > outputs attribute=value", one a line, of a graph from x to y."""
    from onnx import TensorProto, helper, numpy_helper

    made = []
    for line in filter(None, map(str.strip, nodes.splitlines())):
        kind, *words = line.split()
        at, settings = words.index(">"), dict(word.split("=", 1) for word in words if "=" in word)
        outputs = [word for word in words[at + 1 :] if "=" not in word]
        attributes = {name: _attribute(text) for name, text in settings.items()}
        made.append(helper.make_node(kind, [w.replace("-", "") for w in words[:at]], outputs, name=f"the_{outputs[0]}", **attributes))
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    entry = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *SHAPE])
    exit = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    model = helper.make_model(
        helper.make_graph(made, "g", [entry], [exit], tensors), opset_imports=[helper.make_opsetid("", opset)], ir_version=8
    )
    if change is not None:
        change(model)
    return bytes(model.SerializeToString())


def _attribute(text: str) -> Any:
    if "," in text and text.replace(",", "").replace("-", "").isdigit():
        return [int(part) for part in text.split(",") if part]
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return text


def _activations() -> bytes:
    """ReLU, clip, a leaky and a stepped one, written out."""
    return _file(
        """
        Flatten x > f
        Gemm f a b > h transB=1
        Greater h zero > g
        Where g h zero > r
        Neg h > n
        Max n zero > m
        Mul m slope > s
        Sub r s > l
        Add l three > t
        Min t six > u
        Max u zero > v
        Div v six > w
        Cast g > c to=1
        Mul h c > z
        Add z w > p
        Add p l > k
        Gemm k d e > y transB=1
        """,
        {"a": _w(6, 16), "b": _w(6), "d": _w(3, 6), "e": _w(3), "slope": np.float32(0.1)}
        | {name: np.float32(value) for name, value in (("zero", 0), ("three", 3), ("six", 6))},
    )


def _equation() -> bytes:
    return _file(
        "Einsum x w > h equation=ncij,ijk->nk\nRelu h > r\nMatMul r v > s\nArgMax s > y axis=1 keepdims=0",
        {"w": _w(4, 4, 5), "v": _w(5, 3)},
    )


def _moves() -> bytes:
    """Windows, moves and parts."""
    return _file(
        """
        Pad x pads > p
        Conv p w - > c kernel_shape=3,3 strides=1,1 group=1
        BatchNormalization c one b b one > n
        Clip n low high > r
        Split r > r0 r1 axis=1
        Concat r1 r0 > j axis=1
        Resize j - sizes > z mode=nearest
        MaxPool z > m kernel_shape=2,2 strides=2,2 ceil_mode=1
        Slice m from to axes > t
        Transpose t > q perm=0,2,3,1
        Gather q which > o axis=3
        ReduceMean o > y axes=1,2 keepdims=0
        """,
        {
            "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
            "w": _w(2, 1, 3, 3),
            "one": np.ones(2, np.float32),
            "b": _w(2),
            "low": np.float32(0),
            "high": np.float32(6),
            "sizes": np.array([2.0], np.float32).repeat(4) * [0.5, 0.5, 1, 1],
            "from": np.array([0, 0]),
            "to": np.array([2**63 - 1, 3]),
            "axes": np.array([1, 2]),
            "which": np.array([1, 0]),
        },
    )


def _quantized() -> bytes:
    return _file(
        """
        Flatten x > f
        QuantizeLinear f scale zero > q
        DequantizeLinear q scale zero > d
        DequantizeLinear w ws - > v
        MatMul d v > m
        Relu m > y
        """,
        {"scale": np.float32(0.1), "zero": np.uint8(3), "w": np.ones((16, 3), np.int8), "ws": np.float32(0.02)},
    )


def _shapes() -> bytes:
    """A shape that is computed, powers, a softmax."""
    return _file(
        """
        Shape x > s
        Gather s first > n axis=0
        Concat n rest > t axis=0
        Reshape x t > r
        MatMul r w > h
        Sigmoid h > i
        Mul h i > j
        Pow j two > k
        Erf k > l
        Softmax l > y axis=-1
        """,
        {"first": np.array([0]), "rest": np.array([-1]), "w": _w(16, 4), "two": np.float32(2)},
    )


def _choice() -> bytes:
    """A choice between graphs, in a loop, with a function of the file's own."""
    from onnx import TensorProto, helper

    def body(name: str, node: Any) -> Any:
        return helper.make_graph([node], name, [], [helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, None)])

    def change(model: Any) -> None:
        inner = body("inner", helper.make_node("Neg", ["f"], ["a"]))
        model.graph.node[2].attribute.extend(
            [
                helper.make_attribute(
                    "then_branch", body("then", helper.make_node("If", ["yes"], ["b"], then_branch=inner, else_branch=inner))
                )
            ]
        )
        model.graph.node[2].attribute.extend([helper.make_attribute("else_branch", body("else", helper.make_node("Relu", ["f"], ["c"])))])
        function = helper.make_function(
            "own", "Twice", ["u"], ["v"], [helper.make_node("Add", ["u", "u"], ["v"])], [helper.make_opsetid("", 17)]
        )
        model.functions.append(function)
        model.opset_import.append(helper.make_opsetid("own", 1))
        model.graph.node[1].domain = "own"

    return _file("Flatten x > e\nTwice e > f\nIf yes > y", {"yes": np.array(True)}, change=change)


def _elsewhere() -> bytes:
    """Values that a file says are in another one."""
    from onnx import TensorProto

    def change(model: Any) -> None:
        tensor = model.graph.initializer[0]
        tensor.data_location = TensorProto.EXTERNAL
        tensor.ClearField("raw_data")
        for key, text in (("location", "weights.bin"), ("offset", "0"), ("length", "192")):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, text

    return _file("Flatten x > f\nMatMul f w > y", {"w": _w(16, 3)}, change=change)


_BY_HAND = (_activations, _equation, _moves, _quantized, _shapes, _choice, _elsewhere)


def of_onnx(data: bytes, rng: Random) -> bytes:
    """Fields within an ONNX model exchanged, taken out or doubled, its tensors joined in other ways, other operators and sizes."""
    import onnx

    model = onnx.ModelProto.FromString(data)
    for _ in range(int(rng.integers(1, 4))):
        messages = list(_messages(model))
        if rng.random() < 0.4 and len(model.graph.node):
            _rewired(model, rng)
            continue
        message = pick(rng, messages)
        fields = [field for field, _ in message.ListFields()]
        if not fields:
            continue
        field = pick(rng, fields)
        if rng.random() < 0.2:
            message.ClearField(field.name)
            continue
        try:
            _set(message, field, rng)
        except (ValueError, TypeError):  # a number that the field does not hold
            message.ClearField(field.name)
    return bytes(model.SerializeToString())


def _rewired(model: Any, rng: Random) -> None:
    """Other names of inputs and outputs, another operator, nodes twice, other types, a graph within itself, or other sizes."""
    graph = model.graph
    node = pick(rng, graph.node)
    match int(rng.integers(7)):
        case 0 | 1:
            names = [
                *(output for each in graph.node for output in each.output),
                *(t.name for t in graph.initializer),
                "x",
                "y",
                "nowhere",
                "",
            ]
            _renamed(node, names, rng)
        case 2:
            node.op_type = pick(rng, KINDS)
        case 3:
            graph.node.extend([node] * int(pick(rng, (1, 2, 300))))
        case 4 if len(node.attribute):
            pick(rng, node.attribute).type = int(rng.integers(16))
        case 5:
            for _ in range(int(pick(rng, (1, 3, 8)))):
                inner = type(graph)()
                inner.CopyFrom(graph)
                attribute = pick(rng, graph.node).attribute.add()
                attribute.name, attribute.type = "then_branch", 5
                attribute.g.CopyFrom(inner)
        case _:
            _resized(graph, rng)


def _renamed(node: Any, names: list[str], rng: Random) -> None:
    """Another input, one more, or one less."""
    match int(rng.integers(3)):
        case 0 if len(node.input):
            node.input[int(rng.integers(len(node.input)))] = pick(rng, names)
        case 1 if len(node.input):
            del node.input[int(rng.integers(len(node.input)))]
        case _:
            (node.input if rng.random() < 0.5 else node.output).append(pick(rng, names))


def _resized(graph: Any, rng: Random) -> None:
    """A constant of other sizes or of another type, or an input or output of other sizes."""
    if len(graph.initializer) and rng.random() < 0.6:
        tensor = pick(rng, graph.initializer)
        if len(tensor.dims) and rng.random() < 0.7:
            tensor.dims[int(rng.integers(len(tensor.dims)))] = int(pick(rng, (0, 1, -1, 2**31, 2**62)))
        else:
            tensor.data_type = int(rng.integers(25))
    elif values := [value for value in (*graph.input, *graph.output) if len(value.type.tensor_type.shape.dim)]:
        pick(rng, pick(rng, values).type.tensor_type.shape.dim).dim_value = int(pick(rng, (0, 1, -1, 3, 2**31, 2**62)))


def _messages(message: Any) -> Iterator[Any]:
    yield message
    for field, content in message.ListFields():
        if field.message_type is not None:
            for inner in content if hasattr(content, "extend") else (content,):
                yield from _messages(inner)


def _set(message: Any, field: Any, rng: Random) -> None:
    content = getattr(message, field.name)
    if hasattr(content, "extend"):
        if field.message_type is not None:
            content.extend([pick(rng, content)])
        elif len(content):
            content[int(rng.integers(len(content)))] = _scalar(content[0], rng)
    elif field.message_type is None:
        setattr(message, field.name, _scalar(content, rng))


def _scalar(old: Any, rng: Random) -> Any:
    if isinstance(old, bytes):
        return of_bytes(old, rng)
    return pick(rng, (*WORDS, "Relu", "Conv", "x")) if isinstance(old, str) else type(old)(pick(rng, NUMBERS[:12]))
