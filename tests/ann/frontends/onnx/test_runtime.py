"""onnxruntime as the reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loihiconv.ann.frontends.onnx import runtime
from loihiconv.ann.frontends.onnx.runtime import Runtime
from loihiconv.core.errors import InvalidModel
from tests.ann.frontends.onnx.made import made, node, samples, saved, weights


@pytest.mark.parametrize("batch", ["N", 1, 2])
def test_batches_of_any_size(batch: int | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "BATCH", 3)
    path = saved(made([node("MatMul", "x w")], (6,), {"w": weights(6, 3)}, batch=batch), tmp_path)
    x = samples((6,))
    np.testing.assert_allclose(Runtime(path)({"x": x}, ["y"]), x @ weights(6, 3), rtol=1e-5, atol=1e-6)


def test_what_it_refuses_is_said_in_a_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = saved(made([node("MatMul", "x w")], (5,), {"w": weights(6, 3)}), tmp_path)
    with pytest.raises(InvalidModel, match=r"model\.bin: cannot be run by onnxruntime: ") as caught:
        Runtime(path)({"x": samples((5,))}, ["y"])
    assert "\n" not in str(caught.value)
    path = saved(made([node("MatMul", "x w")], (6,), {"w": weights(6, 3)}, opset=99), tmp_path)
    with pytest.raises(InvalidModel, match=r"a later opset than this onnxruntime knows; .* with opset_version=\d+"):
        Runtime(path)
    path = saved(made([node("ReduceSum", "x", keepdims=0)], (5,)), tmp_path)
    with pytest.raises(InvalidModel, match=r"returns \(\) for 5 samples; a result for each expected"):
        Runtime(path)({"x": samples((5,))}, ["y"])


def test_without_onnxruntime_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(made([node("Relu", "x")], (5,)), tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(InvalidModel, match=r"onnxruntime is needed for this file; pip install loihiconv\[onnx\]"):
        Runtime(path)
