"""Normalization as onnxruntime computes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.ann.frontends.onnx.made import carried_out, made, node, refusal, weights

STATISTICS = {"s": weights(3, seed=2), "b": weights(3, seed=3), "m": weights(3, seed=4), "v": np.abs(weights(3, seed=5)) + 0.1}


@pytest.mark.parametrize("shape", [(3,), (3, 4), (3, 4, 5)])
@pytest.mark.parametrize("opset", [9, 15])
def test_batch_norm(shape: tuple[int, ...], opset: int, tmp_path: Path) -> None:
    carried_out(made([node("BatchNormalization", "x s b m v", epsilon=1e-3)], shape, STATISTICS, opset=opset), shape, tmp_path)


def test_batch_norm_that_learns_is_refused(tmp_path: Path) -> None:
    model = made([node("BatchNormalization", "x s b m v", "y n o", training_mode=1)], (3, 4, 5), STATISTICS)
    assert "is in training mode; export the model in evaluation mode" in refusal(model, (3, 4, 5), tmp_path)


@pytest.mark.parametrize("options", [{"offset": [0.1, 0.2, -0.3, 0], "scale": [1.0, 2, 3, 0.5]}, {"offset": [0.5], "scale": [2.0]}])
def test_scikit_learns_scaler(options: dict[str, list[float]], tmp_path: Path) -> None:
    model = made([node("Scaler", "x", domain="ai.onnx.ml", **options)], (4,), domains=["ai.onnx.ml"])
    carried_out(model, (4,), tmp_path)


def test_others_are_computed_and_refused(tmp_path: Path) -> None:
    shape = (4, 5, 6)
    constants = {"s": weights(4), "b": weights(4)}
    carried_out(made([node("InstanceNormalization", "x s b")], shape, constants), shape, tmp_path)
    carried_out(made([node("LRN", "x", size=3, alpha=0.2)], shape), shape, tmp_path)
    carried_out(made([node("LayerNormalization", "x s b", axis=-1)], shape, {"s": weights(6), "b": weights(6)}), shape, tmp_path)
    carried_out(made([node("GroupNormalization", "x s b", num_groups=2)], shape, constants, opset=21), shape, tmp_path)
    assert "instance_norm" in refusal(made([node("InstanceNormalization", "x s b")], shape, constants), shape, tmp_path)
