"""Parts of tensors as onnxruntime takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.ann.frontends.onnx.made import carried_out, made, node, refusal, weights

SHAPE = (4, 6, 5)


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_concat(axis: int, tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "h"), node("Concat", "x h", axis=axis)]
    carried_out(made(nodes, SHAPE), SHAPE, tmp_path)


def test_concat_with_a_constant(tmp_path: Path) -> None:
    carried_out(made([node("Concat", "x c", axis=2)], SHAPE, {"c": weights(1, 4, 2, 5)}, batch=1), SHAPE, tmp_path)


@pytest.mark.parametrize(("axis", "sizes"), [(1, [1, 3]), (2, [4, 2]), (-1, [2, 3])])
def test_split(axis: int, sizes: list[int], tmp_path: Path) -> None:
    joined = node("Concat", "b a", axis=axis, name="join")
    carried_out(made([node("Split", "x sizes", "a b", axis=axis), joined], SHAPE, {"sizes": np.array(sizes)}), SHAPE, tmp_path)
    carried_out(made([node("Split", "x", "a b", axis=axis, split=sizes), joined], SHAPE, opset=11), SHAPE, tmp_path)


def test_split_into_equal_and_nearly_equal_parts(tmp_path: Path) -> None:
    joined = node("Concat", "c b a", axis=2, name="join")
    carried_out(made([node("Split", "x", "a b c", axis=2), joined], SHAPE), SHAPE, tmp_path)
    joined = node("Concat", "c b a", axis=3, name="join")
    carried_out(made([node("Split", "x", "a b c", axis=3, num_outputs=3), joined], SHAPE, opset=18), SHAPE, tmp_path)
    wrong = made([node("Split", "x sizes", "a y", axis=1)], SHAPE, {"sizes": np.array([1, 2])})
    assert "splits 4 into (1, 2) for 2 results" in refusal(wrong, SHAPE, tmp_path)


SLICES = {
    "head": ([0], [2], [1], [1]),
    "tail": ([-3], [2**62], [2], [1]),
    "steps": ([0, 1], [6, 5], [2, 3], [2, 2]),
    "backwards": ([-1], [-(2**62)], [3], [-1]),
    "backwards in steps": ([5], [0], [2], [-2]),
    "all": ([0], [2**62], [0], [1]),
}


@pytest.mark.parametrize("case", SLICES)
def test_slice(case: str, tmp_path: Path) -> None:
    constants = {name: np.array(values) for name, values in zip(("b", "e", "a", "s"), SLICES[case], strict=True)}
    carried_out(made([node("Slice", "x b e a s")], SHAPE, constants), SHAPE, tmp_path)


def test_slice_as_it_was(tmp_path: Path) -> None:
    carried_out(made([node("Slice", "x", starts=[1, 0], ends=[3, -1], axes=[1, 3])], SHAPE, opset=9), SHAPE, tmp_path)


@pytest.mark.parametrize("indices", [2, -1, [1, 2], [3, 0, -1], [[0, 1], [2, 3]]])
def test_gather(indices: object, tmp_path: Path) -> None:
    carried_out(made([node("Gather", "x i", axis=1)], SHAPE, {"i": np.array(indices)}), SHAPE, tmp_path)


def test_samples_are_kept_apart(tmp_path: Path) -> None:
    for nodes, constants in (
        ([node("Gather", "x i", axis=0)], {"i": np.array([0])}),
        ([node("Slice", "x b e")], {"b": np.array([0]), "e": np.array([1])}),
    ):
        assert "acts on the batch axis" in refusal(made(nodes, SHAPE, constants), SHAPE, tmp_path)
    assert "which mixes samples" in refusal(made([node("Concat", "x x", axis=0)], SHAPE), SHAPE, tmp_path)


def test_contradictions(tmp_path: Path) -> None:
    assert "takes indices [4] of an axis of 4" in refusal(
        made([node("Gather", "x i", axis=1)], SHAPE, {"i": np.array([4])}), SHAPE, tmp_path
    )
    wrong = made([node("Slice", "x b e a s")], SHAPE, {n: np.array([v]) for n, v in (("b", 0), ("e", 1), ("a", 1), ("s", 0))})
    assert "and steps (0,)" in refusal(wrong, SHAPE, tmp_path)
