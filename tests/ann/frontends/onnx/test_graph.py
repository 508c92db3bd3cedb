"""Operations in the order in which they can be carried out, from any order and however wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihiconv.ann.frontends.onnx.graph import Graph, Operation, ordered
from loihiconv.core.errors import InvalidModel


def op(inputs: str, output: str) -> Operation:
    return Operation(f"make_{output}", "Kind", tuple(inputs.split()), (output,))


@given(st.permutations(range(6)))
def test_any_order_will_do(order: list[int]) -> None:
    operations = [op("x", "a"), op("a", "b"), op("a b", "c"), op("c x", "y"), op("x", "unused"), op("unused", "too")]
    found = [operation.outputs[0] for operation in ordered([operations[i] for i in order], ["y"], {"x"})]
    assert found == ["a", "b", "c", "y"]


def test_long_chains_are_no_problem() -> None:
    chain = [op(f"t{i}", f"t{i + 1}") for i in range(5000)]
    assert len(ordered(reversed(chain), ["t5000"], {"t0"})) == 5000


@pytest.mark.parametrize(
    ("operations", "said"),
    [
        ([op("nowhere", "y")], "make_y: takes 'nowhere', which nothing makes"),
        ([], "output: takes 'y', which nothing makes"),
        ([op("a", "b"), op("b", "a"), op("a", "y")], "depends on its own result"),
        ([op("y", "y")], "depends on its own result"),
        ([op("x", "y"), op("x", "y")], "make_y: Kind makes 'y', which make_y makes already"),
    ],
)
def test_contradictions_are_said(operations: list[Operation], said: str) -> None:
    with pytest.raises(InvalidModel, match=said):
        ordered(operations, ["y"], {"x"})


def test_shape_of_samples() -> None:
    assert Graph((), {}, ("x", "z"), ("y",), ((3, 8), (2,))).sample_shapes == ((3, 8), (2,))
    assert Graph((), {}, ("x", "z"), ("y",), ((3, None), (2,))).sample_shapes is None
    assert Graph((), {}, ("x",), ("y",), (None,)).sample_shapes is None
