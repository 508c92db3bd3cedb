"""Sums and products as onnxruntime computes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.ann.frontends.onnx.made import OnnxModel, carried_out, made, node, refusal, samples, saved, weights


@pytest.mark.parametrize("kind", ["Abs", "Neg", "Exp", "Floor", "Ceil", "Round", "Sign", "Erf", "Sin", "Cos", "Reciprocal"])
def test_functions_of_one_value(kind: str, tmp_path: Path) -> None:
    carried_out(made([node(kind, "x")], (6,)), (6,), tmp_path)


@pytest.mark.parametrize("kind", ["Sqrt", "Log"])
def test_functions_of_positive_values(kind: str, tmp_path: Path) -> None:
    carried_out(made([node(kind, "x")], (6,)), (6,), tmp_path, np.abs(samples((6,))) + 0.1)


@pytest.mark.parametrize("kind", ["Add", "Sub", "Mul", "Div", "Pow", "Sum", "Max", "Min", "Mean"])
def test_two_operands(kind: str, tmp_path: Path) -> None:
    x = np.abs(samples((3, 4, 4))) + 0.2
    for constant in (weights(3, 1, 1), weights(1), weights()):
        for inputs in ("x c", "c x"):
            carried_out(made([node(kind, inputs)], (3, 4, 4), {"c": np.float32(np.abs(constant) + 0.3)}), (3, 4, 4), tmp_path, x)
    carried_out(made([node("Relu", "x", "h"), node(kind, "x h")], (3, 4, 4)), (3, 4, 4), tmp_path, x)


def test_products_by_equation(tmp_path: Path) -> None:
    nodes = [node("Einsum", "x a", "h", equation="bi,io->bo", name="first"), node("Einsum", "h b", equation="bi,oi->bo", name="second")]
    model = made(nodes, (6,), {"a": weights(6, 4), "b": weights(3, 4)})
    carried_out(model, (6,), tmp_path)
    assert [type(n).__name__ for n in OnnxModel(saved(model, tmp_path)).ann((6,))] == ["Input", "Linear", "Linear"]


@pytest.mark.parametrize("keepdims", [0, 1])
def test_the_host_computes_an_argmax(keepdims: int, tmp_path: Path) -> None:
    nodes = [node("MatMul", "x a", "h"), node("ArgMax", "h", "i", axis=-1, keepdims=keepdims), node("Cast", "i", to=1)]
    model = made(nodes, (6,), {"a": weights(6, 4)})
    carried_out(model, (6,), tmp_path)
    assert OnnxModel(saved(model, tmp_path)).ann((6,)).ending
    last = made([node("ArgMax", "x", select_last_index=1)], (6,))
    assert "takes the last of equal values" in refusal(last, (6,), tmp_path)


@pytest.mark.parametrize("batch", ["N", 1])
@pytest.mark.parametrize("kind", ["ReduceMean", "ReduceSum", "ReduceMax"])
def test_ensembles(kind: str, batch: int | str, tmp_path: Path) -> None:
    """As torch.stack([a, b]).mean(0) is exported: several results on an axis before that of samples."""
    nodes = [
        *(node("MatMul", f"x {w}", f"h{w}", name=f"layer_{w}") for w in "ab"),
        *(node("Unsqueeze", f"h{w} zero", f"u{w}", name=f"unsqueeze_{w}") for w in "ab"),
        node("Concat", "ua ub", "stack", axis=0),
        node(kind, "stack" + " zero" * (kind == "ReduceSum"), keepdims=0, **({} if kind == "ReduceSum" else {"axes": [0]})),
    ]
    constants = {"a": weights(6, 4), "b": weights(6, 4, seed=2), "zero": np.array([0])}
    model = made(nodes, (6,), constants, batch=batch)
    carried_out(model, (6,), tmp_path)
    assert len(OnnxModel(saved(model, tmp_path)).ann((6,)).inputs) == 1


def test_more_operands(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "h"), node("Sum", "x h x", "s", name="sum"), node("Mean", "s h x", name="mean")]
    carried_out(made(nodes, (3, 4)), (3, 4), tmp_path)


@pytest.mark.parametrize("kind", ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"])
@pytest.mark.parametrize("axes", [[2, 3], [-1], [1], [1, 2, 3]])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_reductions(kind: str, axes: list[int], keepdims: int, tmp_path: Path) -> None:
    shape = (3, 4, 5)
    carried_out(made([node(kind, "x axes", keepdims=keepdims)], shape, {"axes": np.array(axes)}, opset=18), shape, tmp_path)
    if kind != "ReduceSum":
        carried_out(made([node(kind, "x", axes=axes, keepdims=keepdims)], shape, opset=11), shape, tmp_path)


def test_samples_are_kept_apart(tmp_path: Path) -> None:
    assert "mean mixes samples" in refusal(made([node("ReduceMean", "x", axes=[0])], (6,)), (6,), tmp_path)
    assert "sum mixes samples" in refusal(made([node("ReduceSum", "x")], (6,)), (6,), tmp_path)
    nothing = made([node("ReduceSum", "x axes", noop_with_empty_axes=1)], (6,), {"axes": np.zeros(0, np.int64)})
    carried_out(nothing, (6,), tmp_path)


def test_integers_are_divided_as_integers(tmp_path: Path) -> None:
    """Sizes that a graph works out: half of the last axis."""
    nodes = [
        node("Shape", "x", "shape", name="a"),
        node("Gather", "shape one", "last", name="b"),
        node("Div", "last two", "half", name="c"),
        node("Mod", "last two", "odd", name="d"),
        node("Add", "half odd", "more", name="e"),
        node("Unsqueeze", "more zero", "size", name="f"),
        node("Concat", "rows size two_", "wanted", name="g", axis=0),
        node("Reshape", "x wanted", name="h"),
    ]
    constants = {"one": np.array(1), "two": np.array(2), "zero": np.array([0]), "rows": np.array([-1]), "two_": np.array([2])}
    carried_out(made(nodes, (6,), constants), (6,), tmp_path)


def test_conditions(tmp_path: Path) -> None:
    for kind in ("Greater", "Less", "GreaterOrEqual", "LessOrEqual", "Equal"):
        nodes = [node(kind, "x c", "mask"), node("Where", "mask x c")]
        carried_out(made(nodes, (6,), {"c": weights(1)}), (6,), tmp_path)
    nodes = [
        node("Greater", "x c", "a"),
        node("Less", "x d", "b"),
        node("And", "a b", "e"),
        node("Or", "a b", "f"),
        node("Not", "e", "g"),
        node("And", "g f", "h", name="and2"),
        node("Where", "h x c"),
    ]
    carried_out(made(nodes, (6,), {"c": np.float32(-0.5), "d": np.float32(0.5)}), (6,), tmp_path)


def test_products_of_sizes(tmp_path: Path) -> None:
    nodes = [
        node("Shape", "x", "shape"),
        node("Slice", "shape start end", "tail"),
        node("ReduceProd", "tail", "all", keepdims=1),
        node("Concat", "rows all", "wanted", axis=0),
        node("Reshape", "x wanted"),
    ]
    constants = {"start": np.array([1]), "end": np.array([3]), "rows": np.array([-1])}
    carried_out(made(nodes, (3, 4), constants), (3, 4), tmp_path)


def test_bounds_as_tensorflow_writes_them(tmp_path: Path) -> None:
    constants = {"zero": np.float32(0), "half": np.float32(0.5), "w": weights(6, 6)}
    nodes = [node("MatMul", "x w", "h"), node("Max", "h zero", "r"), node("MatMul", "r w", name="last")]
    opened = OnnxModel(saved(made(nodes, (6,), constants), tmp_path))
    assert opened.problems((6,)) == ()
    carried_out(made(nodes, (6,), constants), (6,), tmp_path)
    for parts in (["Min", "Max"], ["Max", "Min"]):
        inputs = {"Min": "half", "Max": "zero"}
        nodes = [node(parts[0], f"x {inputs[parts[0]]}", "h"), node(parts[1], f"h {inputs[parts[1]]}")]
        carried_out(made(nodes, (6,), constants), (6,), tmp_path)
