"""What only moves values, with batches of any size whatever the file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ann.frontends.onnx.made import OnnxModel, carried_out, made, node, refusal, weights

SHAPE = (4, 3, 2)


@pytest.mark.parametrize("batch", ["N", 1, 2])
@pytest.mark.parametrize("wanted", [(-1, 24), (0, -1), (0, 6, 4), (0, 0, 6)])
def test_reshape(wanted: tuple[int, ...], batch: int | str, tmp_path: Path) -> None:
    carried_out(made([node("Reshape", "x s")], SHAPE, {"s": np.array(wanted)}, batch=batch), SHAPE, tmp_path)


@pytest.mark.parametrize("batch", [1, 2])
def test_a_batch_size_in_the_file_is_no_matter(batch: int, tmp_path: Path) -> None:
    for wanted in ([batch, -1], [batch, 2, 12]):
        carried_out(made([node("Reshape", "x s")], SHAPE, {"s": np.array(wanted)}, batch=batch), SHAPE, tmp_path)


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_flatten(axis: int, tmp_path: Path) -> None:
    model = made([node("Flatten", "x", axis=axis)], SHAPE)
    if axis == 1:
        carried_out(model, SHAPE, tmp_path)
    else:
        assert refusal(model, SHAPE, tmp_path)


def test_squeeze_and_unsqueeze(tmp_path: Path) -> None:
    shape = (4, 1, 3)
    for opset, given in ((11, True), (17, False)):
        for axes in ([2], [-2]):
            squeeze = node("Squeeze", "x", axes=axes) if given else node("Squeeze", "x a")
            carried_out(made([squeeze], shape, {} if given else {"a": np.array(axes)}, opset=opset), shape, tmp_path)
        for axes in ([1], [-1, 2]):
            unsqueeze = node("Unsqueeze", "x", axes=axes) if given else node("Unsqueeze", "x a")
            carried_out(made([unsqueeze], shape, {} if given else {"a": np.array(axes)}, opset=opset), shape, tmp_path)
    carried_out(made([node("Squeeze", "x")], shape), shape, tmp_path)
    assert "acts on the batch axis" in refusal(made([node("Squeeze", "x a")], shape, {"a": np.array([0])}, batch=1), shape, tmp_path)
    assert "which is not of size 1" in refusal(made([node("Squeeze", "x a")], shape, {"a": np.array([1])}), shape, tmp_path)


@pytest.mark.parametrize("order", [(0, 2, 3, 1), (0, 3, 1, 2), (0, 1, 2, 3), (0, 1, 3, 2)])
def test_transpose(order: tuple[int, ...], tmp_path: Path) -> None:
    carried_out(made([node("Transpose", "x", perm=order)], SHAPE), SHAPE, tmp_path)


PADS: dict[str, dict[str, Any]] = {
    "zeros": {"pads": [0, 0, 1, 2, 0, 0, 2, 1]},
    "crop": {"pads": [0, 0, -1, 0, 0, 0, 0, -1]},
    "channels": {"pads": [0, 1, 0, 0, 0, 2, 0, 0]},
    "value": {"pads": [0, 0, 1, 1, 0, 0, 1, 1], "value": 0.5},
    "nothing": {"pads": [0] * 8},
    "reflect": {"pads": [0, 0, 1, 1, 0, 0, 1, 1], "mode": "reflect"},
    "edge": {"pads": [0, 0, 1, 1, 0, 0, 1, 1], "mode": "edge"},
    "reflect one axis": {"pads": [0, 0, 0, 1, 0, 0, 0, 1], "mode": "reflect"},
}


@pytest.mark.parametrize("case", PADS)
def test_pad(case: str, tmp_path: Path) -> None:
    given, mode = PADS[case], PADS[case].get("mode", "constant")
    constants = {"p": np.array(given["pads"]), "v": np.float32(given.get("value", 0))}
    carried_out(made([node("Pad", "x p v", mode=mode)], SHAPE, constants), SHAPE, tmp_path)
    carried_out(made([node("Pad", "x", **given)], SHAPE, opset=10), SHAPE, tmp_path)
    assert case == "nothing" or not OnnxModel(tmp_path / "model.bin").problems(SHAPE)


def test_pad_of_some_axes(tmp_path: Path) -> None:
    constants = {"p": np.array([1, 2]), "a": np.array([-1])}
    carried_out(made([node("Pad", "x p - a")], SHAPE, constants, opset=18), SHAPE, tmp_path)
    assert "acts on the batch axis" in refusal(made([node("Pad", "x p")], SHAPE, {"p": np.array([1] + [0] * 7)}), SHAPE, tmp_path)
    assert "makes a tensor of shape" in refusal(made([node("Pad", "x p")], SHAPE, {"p": np.array([0] * 7 + [10**12])}), SHAPE, tmp_path)


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space(mode: str, tmp_path: Path) -> None:
    carried_out(made([node("DepthToSpace", "x", blocksize=2, mode=mode)], (8, 3, 2)), (8, 3, 2), tmp_path)
    assert "cannot divide 4 channels by 3x3" in refusal(made([node("DepthToSpace", "x", blocksize=3)], SHAPE), SHAPE, tmp_path)


def test_space_to_depth(tmp_path: Path) -> None:
    carried_out(made([node("SpaceToDepth", "x", blocksize=2)], (3, 4, 6)), (3, 4, 6), tmp_path)
    assert "cannot divide 3x2 by 2" in refusal(made([node("SpaceToDepth", "x", blocksize=2)], SHAPE), SHAPE, tmp_path)


def test_what_tf2onnx_writes_around_a_convolution(tmp_path: Path) -> None:
    """Images (H, W, C) in, and a flattening in that order."""
    shape = (5, 4, 3)
    nodes = [
        node("Transpose", "x", "a", perm=[0, 3, 1, 2], name="in"),
        node("Conv", "a w b", "c"),
        node("Relu", "c", "r"),
        node("Transpose", "r", "t", perm=[0, 2, 3, 1], name="out"),
        node("Reshape", "t s", "f"),
        node("MatMul", "f v", "m"),
        node("Add", "m d"),
    ]
    constants = {"w": weights(6, 3, 3, 3), "b": weights(6), "s": np.array([-1, 36]), "v": weights(36, 4), "d": weights(4)}
    carried_out(made(nodes, shape, constants, opset=13), shape, tmp_path)
