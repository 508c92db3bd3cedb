"""All that cannot be converted is said at once, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.ann.frontends.onnx.model import OnnxModel
from loihiconv.ann.frontends.onnx.refusals import remedy
from tests.ann.frontends.onnx.made import made, node, refusal, saved, weights


def test_unknown_operators_and_known_ones_are_listed_together(tmp_path: Path) -> None:
    nodes = [
        node("MatMul", "x w", "a"),
        node("Tanh", "a", "b"),
        node("Hardmax", "b", "c", name="hard"),
        node("MatMul", "c v", "d", name="second"),
        node("Sigmoid", "d", "e", name="sig"),
        node("MatMul", "e u", name="third"),
    ]
    model = made(nodes, (6,), {"w": weights(6, 4), "v": weights(4, 4), "u": weights(4, 3)})
    problems = lc.check(saved(model, tmp_path)).problems
    assert [problem.split(":")[0] for problem in problems] == ["the_tanh", "hard", "sig"]
    assert problems[1].startswith("hard: Hardmax cannot be converted; train a network without it")


def test_what_is_of_another_domain_is_named_by_it(tmp_path: Path) -> None:
    model = made([node("Magic", "x", domain="com.example")], (6,), domains=["com.example"])
    assert refusal(model, (6,), tmp_path).startswith("the_magic: com.example.Magic cannot be converted")


def test_what_the_result_does_not_depend_on_is_no_matter(tmp_path: Path) -> None:
    nodes = [node("Magic", "x", "unused", domain="com.example"), node("MatMul", "x w")]
    model = made(nodes, (6,), {"w": weights(6, 3)}, domains=["com.example"])
    assert OnnxModel(saved(model, tmp_path)).problems((6,)) == ()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("LSTM", "feed-forward"),
        ("Loop", "no choice"),
        ("Attention", "two activations"),
        ("ConvInteger", "convert the float network"),
        ("ai.onnx.ml.ZipMap", "extract_model"),
    ],
)
def test_remedies(kind: str, said: str) -> None:
    assert said in remedy(kind)


def test_choices_are_refused_by_name_whatever_their_graphs_take(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    def graph(kind: str) -> Any:
        return helper.make_graph([node(kind, "a", kind)], kind, [], [helper.make_tensor_value_info(kind, TensorProto.FLOAT, None)])

    nodes = [node("MatMul", "x w", "a"), node("If", "always", then_branch=graph("Relu"), else_branch=graph("Neg"))]
    model = made(nodes, (6,), {"w": weights(6, 4), "always": np.array(True)})
    assert refusal(model, (6,), tmp_path).startswith("the_if: If cannot be converted; export the network for one shape")
