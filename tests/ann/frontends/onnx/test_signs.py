"""What is known never to be below 0, never is."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.ann.frontends.onnx.graph import Operation
from loihiconv.ann.frontends.onnx.signs import cuts_off_negative, integers_of, never_negative, with_facts

LOW = {"low": np.float32(0.1), "below": np.float32(-1), "zero": np.uint8(0), "signed": np.int8(0), "least": np.int8(-128)}


def op(kind: str, inputs: str, **attributes: object) -> Operation:
    return Operation(kind, kind, tuple(inputs.split()), ("y",), attributes)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (op("Relu", "signed"), True),
        (op("Add", "a b"), True),
        (op("Add", "a x"), False),
        (op("MaxPool", "a"), True),
        (op("MaxPool", "x"), False),
        (op("Conv", "a a"), False),
        (op("Clip", "x low"), True),
        (op("Clip", "x below"), False),
        (op("Clip", "x", min=0.0), True),
        (op("Clip", "a below"), True),
        (op("Pad", "a p"), True),
        (op("Pad", "a p x"), False),
        (op("Pad", "x p"), False),
        (op("Pad", "a p", value=-1.0), False),
        (op("Pad", "a p x", mode="edge"), True),
        (op("Resize", "a", mode="linear"), True),
        (op("Resize", "a", mode="cubic"), False),
        (op("Sub", "a b"), False),
        (op("Max", "x low"), False),
        (op("Max", "x a"), True),
        (op("Min", "x a"), False),
    ],
)
def test_rules(operation: Operation, expected: bool) -> None:
    assert never_negative(operation, {"a", "b"}, LOW) is expected


def test_quantization_that_cuts_off() -> None:
    assert cuts_off_negative(op("QuantizeLinear", "x s zero"), LOW)
    assert cuts_off_negative(op("QuantizeLinear", "x s"), LOW)
    assert cuts_off_negative(op("QuantizeLinear", "x s least"), LOW)
    assert not cuts_off_negative(op("QuantizeLinear", "x s signed"), LOW)
    assert not cuts_off_negative(op("Relu", "x"), LOW)
    assert integers_of(op("QuantizeLinear", "x s least"), LOW) == (-128, 127)
    assert integers_of(op("QuantizeLinear", "x s low"), LOW) == (0, 0)


def test_facts_go_along_the_graph() -> None:
    chain = [
        Operation("shape", "Shape", ("x",), ("s",)),
        Operation("relu", "Relu", ("x",), ("a",)),
        Operation("pool", "MaxPool", ("a",), ("b",)),
        Operation("conv", "Conv", ("b", "w"), ("c",)),
        Operation("last", "MaxPool", ("c",), ("y",)),
    ]
    found = {operation.name: operation for operation in with_facts(chain, ["x"], {"w": np.float32(1)})}
    assert [name for name, operation in found.items() if operation.live] == ["relu", "pool", "conv", "last"]
    assert [name for name, operation in found.items() if operation.never_negative] == ["pool", "conv"]
