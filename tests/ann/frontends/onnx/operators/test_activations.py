"""Activations as onnxruntime computes them; most are refused where PyTorch's are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ann.frontends.onnx.made import carried_out, made, node, refusal, weights

PLAIN: dict[str, dict[str, Any]] = {
    "Relu": {},
    "Sigmoid": {},
    "Tanh": {},
    "Softplus": {},
    "Softsign": {},
    "HardSwish": {},
    "HardSigmoid": {"alpha": 0.3, "beta": 0.4},
    "LeakyRelu": {"alpha": 0.2},
    "Elu": {"alpha": 0.5},
    "Celu": {"alpha": 0.5},
    "Selu": {},
    "ThresholdedRelu": {"alpha": 0.3},
}


@pytest.mark.parametrize("kind", PLAIN)
def test_one_argument(kind: str, tmp_path: Path) -> None:
    carried_out(made([node(kind, "x", **PLAIN[kind])], (3, 4, 5)), (3, 4, 5), tmp_path)


@pytest.mark.parametrize(("kind", "attributes"), [("Mish", {}), ("Gelu", {}), ("Gelu", {"approximate": "tanh"})])
def test_later_ones(kind: str, attributes: dict[str, Any], tmp_path: Path) -> None:
    carried_out(made([node(kind, "x", **attributes)], (6,), opset=20), (6,), tmp_path)


@pytest.mark.parametrize(("low", "high"), [(0, 6), (0, None), (None, 0.5), (-0.5, 0.5), (0.1, 0.5), (None, None)])
def test_clip(low: float | None, high: float | None, tmp_path: Path) -> None:
    constants = {name: np.float32(v) for name, v in (("low", low), ("high", high)) if v is not None}
    inputs = " ".join(["x", *("-" if v is None else name for name, v in (("low", low), ("high", high)))])
    carried_out(made([node("Clip", inputs)], (3, 4), constants), (3, 4), tmp_path)
    attributes = {name: float(v) for name, v in (("min", low), ("max", high)) if v is not None}
    carried_out(made([node("Clip", "x", **attributes)], (3, 4), opset=10), (3, 4), tmp_path)


@pytest.mark.parametrize("shape", [(1,), (3, 1, 1), (1, 1, 1), (3, 4, 5), (5,)])
def test_prelu(shape: tuple[int, ...], tmp_path: Path) -> None:
    carried_out(made([node("PRelu", "x slope")], (3, 4, 5), {"slope": weights(*shape)}), (3, 4, 5), tmp_path)


@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("opset", [11, 17])
def test_softmax(kind: str, opset: int, tmp_path: Path) -> None:
    carried_out(made([node(kind, "x")], (6,), opset=opset), (6,), tmp_path)
    carried_out(made([node(kind, "x", axis=1)], (6, 1, 1), opset=opset), (6, 1, 1), tmp_path)
    for axis in (1, 2, -1):
        carried_out(made([node(kind, "x", axis=axis)], (3, 4), opset=opset), (3, 4), tmp_path)


def test_softmax_over_samples_is_refused(tmp_path: Path) -> None:
    assert "Softmax acts on the batch axis" in refusal(made([node("Softmax", "x", axis=0)], (6,)), (6,), tmp_path)


def test_what_pytorch_knows_is_refused_with_its_reason(tmp_path: Path) -> None:
    model = made([node("Tanh", "x", "h"), node("MatMul", "h w")], (6,), {"w": weights(6, 3)})
    assert refusal(model, (6,), tmp_path).startswith("the_tanh: tanh ")
