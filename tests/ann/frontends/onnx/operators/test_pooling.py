"""Pooling as onnxruntime computes it, at borders too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ann.frontends.onnx.made import OnnxModel, carried_out, made, node, refusal, saved

CASES: dict[str, dict[str, Any]] = {
    "plain": {"kernel_shape": [2, 2], "strides": [2, 2]},
    "strides": {"kernel_shape": [3, 2], "strides": [2, 1]},
    "pads": {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
    "uneven pads": {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 1, 1, 0]},
    "wide pads": {"kernel_shape": [3, 3], "pads": [2, 2, 2, 2]},
    "cut": {"kernel_shape": [4, 2], "pads": [1, 0, 2, 1]},
    "cut and strides": {"kernel_shape": [5, 4], "strides": [2, 1], "pads": [0, 1, 2, 2]},
    "ceil": {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1},
    "ceil with pads": {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1},
    "same upper": {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
    "same lower": {"kernel_shape": [2, 2], "auto_pad": "SAME_LOWER"},
    "valid": {"kernel_shape": [2, 3], "auto_pad": "VALID"},
}
SHAPES = [(3, 7, 8), (3, 9, 5)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rectified", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_max_pool(case: str, rectified: bool, shape: tuple[int, ...], tmp_path: Path) -> None:
    pool = node("MaxPool", "h", **CASES[case])
    carried_out(made([node("Relu" if rectified else "Identity", "x", "h"), pool], shape), shape, tmp_path)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("case", "whole"), [(c, w) for c in CASES for w in (0, 1) if (c, w) != ("wide pads", 0)])  # of padding alone
def test_average_pool(case: str, whole: int, shape: tuple[int, ...], tmp_path: Path) -> None:
    wrong = (
        "auto_pad" in CASES[case] or "cut" in case
    )  # from 19 on, onnxruntime counts wrongly where it works the padding out, or it is uneven
    opset = 17 if wrong else 19
    carried_out(made([node("AveragePool", "x", count_include_pad=whole, **CASES[case])], shape, opset=opset), shape, tmp_path)


def test_along_one_and_three_axes(tmp_path: Path) -> None:
    for kind in ("MaxPool", "AveragePool"):
        carried_out(made([node(kind, "x", kernel_shape=[2], strides=[2])], (3, 9)), (3, 9), tmp_path)
        carried_out(made([node(kind, "x", kernel_shape=[2, 2, 2])], (3, 4, 4, 4)), (3, 4, 4, 4), tmp_path)


@pytest.mark.parametrize("kind", ["GlobalAveragePool", "GlobalMaxPool"])
@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 7), (2, 3, 4, 2)])
def test_global(kind: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    carried_out(made([node(kind, "x")], shape), shape, tmp_path)


def test_unevenly_padded_pools_of_any_sign_are_read(tmp_path: Path) -> None:
    model = made([node("MaxPool", "x", kernel_shape=[2, 2], pads=[0, 0, 1, 1], name="pool")], (3, 6, 5))
    assert not OnnxModel(saved(model, tmp_path)).problems((3, 6, 5))


def test_dilated_max_pool(tmp_path: Path) -> None:
    carried_out(made([node("MaxPool", "x", kernel_shape=[2, 2], dilations=[2, 2])], (3, 8, 8)), (3, 8, 8), tmp_path)


def test_lp_pool(tmp_path: Path) -> None:
    model = made([node("Relu", "x", "h"), node("LpPool", "h", kernel_shape=[2, 2], strides=[2, 2], p=2)], (3, 8, 8))
    carried_out(model, (3, 8, 8), tmp_path)


def test_refusals(tmp_path: Path) -> None:
    shape = (3, 8, 8)
    assert "returns indices" in refusal(made([node("MaxPool", "x", "y i", kernel_shape=[2, 2])], shape), shape, tmp_path)
    assert "is dilated" in refusal(
        made([node("AveragePool", "x", kernel_shape=[2, 2], dilations=[2, 2])], shape, opset=19), shape, tmp_path
    )
    assert "has windows" in refusal(made([node("MaxPool", "x", kernel_shape=[2])], shape), shape, tmp_path)
    assert "has windows" in refusal(made([node("MaxPool", "x", kernel_shape=[2, -2])], shape), shape, tmp_path)
