"""Shapes that ONNX infers."""

from __future__ import annotations

import copy

from loihiconv.ann.frontends.onnx.shapes import InferredShapes
from tests.ann.frontends.onnx.made import made, node, weights


def test_for_a_batch_of_any_size() -> None:
    model = made([node("Relu", "x", "a"), node("MatMul", "a w")], (6,), {"w": weights(6, 3)}, batch=1)
    before = model.SerializeToString()
    shapes = copy.deepcopy(InferredShapes(model))
    assert shapes([(4, 6)]) == {"a": (4, 6), "y": (4, 3)}
    assert model.SerializeToString() == before


def test_what_is_not_known_is_left_out() -> None:
    model = made([node("Magic", "x", "a", domain="com.example"), node("Relu", "a")], (6,), domains=["com.example"])
    assert InferredShapes(model)([(2, 6)]) == {}
