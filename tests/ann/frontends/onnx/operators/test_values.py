"""Constants and sizes that a graph works out, folded or taken from the samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import numpy_helper

from tests.ann.frontends.onnx.made import carried_out, made, node, refusal, weights


def test_identity_dropout_and_cast(tmp_path: Path) -> None:
    nodes = [node("Identity", "x", "a"), node("Dropout", "a", "b"), node("Cast", "b", "c", to=1), node("MatMul", "c w")]
    carried_out(made(nodes, (6,), {"w": weights(6, 3)}), (6,), tmp_path)
    nodes = [node("Dropout", "x ratio train", "a m"), node("Identity", "a")]
    constants = {"ratio": np.float32(0.5), "train": np.array(False)}
    carried_out(made(nodes, (6,), constants), (6,), tmp_path)
    constants["train"] = np.array(True)
    assert "is in training mode" in refusal(made(nodes, (6,), constants), (6,), tmp_path)


def test_casts_to_integers_are_computed(tmp_path: Path) -> None:
    nodes = [node("Mul", "x c", "a"), node("Cast", "a", "b", to=7), node("Cast", "b", to=1, name="back")]
    carried_out(made(nodes, (6,), {"c": np.float32(10)}), (6,), tmp_path)
    carried_out(made([node("CastLike", "x c")], (6,), {"c": np.float32(10)}), (6,), tmp_path)
    nodes = [node("Cast", "x", "a", to=6), node("Cast", "a", "b", to=1), node("MatMul", "b w")]
    assert "rounds to whole numbers" in refusal(made(nodes, (6,), {"w": weights(6, 3)}), (6,), tmp_path)


@pytest.mark.parametrize("batch", ["N", 1])
def test_flattening_as_exporters_once_wrote_it(batch: int | str, tmp_path: Path) -> None:
    nodes = [
        node("Shape", "x", "s"),
        node("Gather", "s zero", "n"),
        node("Unsqueeze", "n zeros", "m"),
        node("Concat", "m rest", "wanted", axis=0),
        node("Reshape", "x wanted", "f"),
        node("MatMul", "f w"),
    ]
    constants = {"zero": np.array(0), "zeros": np.array([0]), "rest": np.array([-1]), "w": weights(24, 3)}
    carried_out(made(nodes, (4, 3, 2), constants, batch=batch), (4, 3, 2), tmp_path)


def test_part_of_a_shape(tmp_path: Path) -> None:
    nodes = [node("Shape", "x", "s", start=0, end=1), node("Concat", "s rest", "wanted", axis=0), node("Reshape", "x wanted")]
    carried_out(made(nodes, (4, 3), {"rest": np.array([-1])}, opset=15), (4, 3), tmp_path)


def test_made_constants(tmp_path: Path) -> None:
    value = numpy_helper.from_array(np.array([0.5], np.float32))
    nodes = [node("ConstantOfShape", "s", "c", value=value), node("Add", "x c")]
    carried_out(made(nodes, (6,), {"s": np.array([6])}), (6,), tmp_path)
    nodes = [node("Range", "a b d", "r"), node("Cast", "r", "f", to=1), node("Add", "x f")]
    carried_out(made(nodes, (6,), {"a": np.array(0), "b": np.array(12), "d": np.array(2)}), (6,), tmp_path)
    nodes = [node("Size", "w", "n"), node("Cast", "n", "f", to=1), node("Add", "x f")]
    carried_out(made(nodes, (6,), {"w": weights(2, 3)}), (6,), tmp_path)


def test_constant_nodes(tmp_path: Path) -> None:
    for value in ({"value": numpy_helper.from_array(weights(6))}, {"value_floats": [0.5] * 6}, {"value_float": 0.5}):
        carried_out(made([node("Constant", "", "c", **value), node("Add", "x c")], (6,)), (6,), tmp_path)
    nodes = [node("Constant", "", "s", value_ints=[-1, 6]), node("Reshape", "x s")]
    carried_out(made(nodes, (2, 3)), (2, 3), tmp_path)


@pytest.mark.parametrize("batch", ["N", 1])
def test_expand_and_tile(batch: int | str, tmp_path: Path) -> None:
    nodes = [node("Expand", "x s")]
    carried_out(made(nodes, (4, 1), {"s": np.array([1, 4, 3])}, batch=batch), (4, 1), tmp_path)
    carried_out(made([node("Tile", "x s")], (4, 2), {"s": np.array([1, 2, 3])}, batch=batch), (4, 2), tmp_path)
    carried_out(
        made([node("Expand", "c s", "e"), node("Add", "x e")], (4, 2), {"c": weights(1, 2), "s": np.array([4, 2])}), (4, 2), tmp_path
    )


def test_absurd_sizes_are_refused(tmp_path: Path) -> None:
    huge = np.array([2**40, 2**20])
    for nodes, constants in (
        ([node("ConstantOfShape", "s", "c"), node("Add", "x c")], {"s": huge}),
        ([node("Tile", "x s")], {"s": np.array([1, 2**50])}),
        ([node("Expand", "x s")], {"s": np.array([1, 2**50, 1, 6])}),
        ([node("Range", "a b d", "r"), node("Add", "x r")], {"a": np.array(0), "b": np.array(2**60), "d": np.array(1)}),
    ):
        assert "makes a tensor of shape" in refusal(made(nodes, (6,), constants), (6,), tmp_path)
