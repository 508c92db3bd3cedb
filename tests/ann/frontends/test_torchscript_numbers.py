"""What TorchScript computes on numbers and lists is what Python computes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from loihiconv.ann.frontends.torchscript_numbers import PRIMITIVES, number_function
from tests.ann.frontends.programs import quietly


def arithmetic(a: int, b: int) -> tuple[int, int, float, int, bool, bool, bool, int, list[int]]:
    values = [a, b]
    values.append(a + b)
    values[0] = values[1] - 2 * a
    return a + b, a // b, a / b, a % b, a < b, not (a == b and a >= 0), a != b or b > 3, len(values), values[1:]


SCRIPTED = quietly(torch.jit.script, arithmetic)


@given(st.integers(-50, 50), st.integers(1, 9))
def test_arithmetic_is_that_of_the_program(a: int, b: int) -> None:
    results: dict[int, object] = dict(zip((v.unique() for v in SCRIPTED.graph.inputs()), (a, b), strict=True))

    def run(nodes: object) -> None:
        for node in nodes:  # type: ignore[attr-defined]
            inputs = [results[v.unique()] for v in node.inputs()]
            outputs = [v.unique() for v in node.outputs()]
            if node.kind() == "prim::Constant":
                result = node.output().toIValue()
            elif node.kind() == "prim::If":
                block = list(node.blocks())[0 if inputs[0] else 1]
                run(block.nodes())
                result = results[next(block.outputs()).unique()]
            else:
                name = node.kind().removeprefix("aten::")
                function = PRIMITIVES.get(node.kind()) or number_function(name, inputs)
                assert function is not None, name
                result = function(*inputs)
            if outputs:
                results[outputs[0]] = result

    run(SCRIPTED.graph.nodes())
    assert results[next(SCRIPTED.graph.outputs()).unique()] == arithmetic(a, b) == SCRIPTED(a, b)


@pytest.mark.parametrize(
    ("name", "inputs", "result"),
    [
        ("add", [1, 2, 3], 7),
        ("sub", [1, 2, 3], -5),
        ("rsub", [1, 5, 1], 4),
        ("div", [7, 2, "floor"], 3),
        ("div", [-7, 2, "trunc"], -3),
        ("format", ["{} of {}", 1, 2], "1 of 2"),
        ("__is__", [None, None], True),
        ("__isnot__", [torch.ones(1), None], True),
        ("__getitem__", [[4, 5], -1], 5),
        ("slice", [[1, 2, 3, 4], None, 3, 2], [1, 3]),
        ("keys", [{"a": 1}], ["a"]),
        ("__contains__", [{"a": 1}, "a"], True),
        ("Int", [2.7], 2),
        ("warn", ["only in training", 2], None),
    ],
)
def test_operators_by_name(name: str, inputs: list[object], result: object) -> None:
    function = number_function(name, inputs)
    assert function is not None
    assert function(*inputs) == result


def test_tensors_are_left_to_torch() -> None:
    assert number_function("add", [torch.ones(1), 2, 1]) is None
    assert number_function("mul", [2, torch.ones(1)]) is None
