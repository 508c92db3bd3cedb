"""Quantized weights become floats, and activations are rounded as the file says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loihiconv.ann.evaluator import forward
from loihiconv.ann.frontends.onnx.model import OnnxModel
from loihiconv.ann.graph import Relu
from loihiconv.ann.passes import lower
from tests.ann.frontends.onnx.made import carried_out, made, node, samples, saved, weights

RNG = np.random.default_rng(0)
SCALE = np.float32(0.05)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("kind", [np.int8, np.uint8])
def test_weights_are_dequantized(axis: int | None, kind: type, tmp_path: Path) -> None:
    q = RNG.integers(0, 100, (6, 3)).astype(kind)
    count = 1 if axis is None else q.shape[axis]
    scale = np.full(count, 0.01, np.float32) * np.arange(1, count + 1, dtype=np.float32)
    zero = np.full(count, 50, kind)
    constants = {"q": q, "s": scale if axis is not None else scale[0], "z": zero if axis is not None else zero[0]}
    nodes = [node("DequantizeLinear", "q s z", "w", **({} if axis is None else {"axis": axis})), node("MatMul", "x w")]
    assert OnnxModel(saved(made(nodes, (6,), constants), tmp_path)).notes == ()
    carried_out(made(nodes, (6,), constants), (6,), tmp_path)


def fine(bits: float) -> np.float32:
    return np.float32(2.0**-bits)


def fake_quantized(scale: np.float32) -> list:
    return [
        node("MatMul", "x w", "h", name="first"),
        node("Relu", "h", "r"),
        node("QuantizeLinear", "r s z", "q"),
        node("DequantizeLinear", "q s z", "d"),
        node("MatMul", "d v", name="last"),
    ]


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16])
def test_activations_are_rounded_as_the_file_says(kind: type, tmp_path: Path) -> None:
    constants = {"w": weights(6, 8), "v": weights(8, 3), "s": SCALE, "z": np.zeros((), kind)}
    opened = OnnxModel(saved(made(fake_quantized(SCALE), (6,), constants, opset=21), tmp_path))
    x = np.abs(samples((6,)))
    np.testing.assert_allclose(forward(opened.ann((6,)), x)[0].numpy(), opened.outputs(x), atol=1e-5)
    ann, notes = lower(opened.ann((6,)))
    (relu,) = (n for n in ann if isinstance(n, Relu))
    assert relu.bound == pytest.approx(SCALE * np.iinfo(kind).max)
    assert notes == ("training rounded activations; rounding is left to rates",)


def test_scales_along_an_axis(tmp_path: Path) -> None:
    constants = {"w": weights(6, 8), "v": weights(8, 3), "s": np.arange(1, 9, dtype=np.float32) / 50, "z": np.zeros(8, np.uint8)}
    nodes = [n for n in fake_quantized(SCALE) if n.op_type != "Relu"]
    nodes[1].input[0] = "h"
    carried_out(made(nodes, (6,), constants), (6,), tmp_path)


def relus(zero: np.generic, folder: Path) -> int:
    """ReLUs of a network whose only one is what quantization cuts off."""
    nodes = [
        node("MatMul", "x w", "h", name="first"),
        node("QuantizeLinear", "h s z", "q"),
        node("DequantizeLinear", "q s z", "d"),
        node("MatMul", "d v", name="last"),
    ]
    constants = {"w": weights(6, 8), "v": weights(8, 3), "s": fine(13), "z": zero}
    ann = lower(OnnxModel(saved(made(nodes, (6,), constants, opset=21), folder)).ann((6,))).ann
    return sum(isinstance(n, Relu) for n in ann)


def test_integers_from_zero_on_are_a_relu(tmp_path: Path) -> None:
    assert relus(np.uint16(0), tmp_path) == 1
    assert relus(np.int16(-(2**15)), tmp_path) == 1
    assert relus(np.uint16(2**15), tmp_path) == 0
    assert relus(np.int16(0), tmp_path) == 0


def test_integer_convolution(tmp_path: Path) -> None:
    """As quantizers write it: every tensor in integers."""
    shape = (2, 5, 5)
    w = RNG.integers(-100, 100, (3, 2, 3, 3)).astype(np.int8)
    constants = {
        "sx": np.float32(1 / 255),
        "zx": np.uint8(0),
        "w": w,
        "sw": np.array([0.01, 0.02, 0.03], np.float32),
        "zw": np.zeros(3, np.int8),
        "sy": np.float32(0.1),
        "zy": np.uint8(128),
        "b": np.array([100, -50, 20], np.int32),
    }
    nodes = [
        node("QuantizeLinear", "x sx zx", "q"),
        node("QLinearConv", "q sx zx w sw zw sy zy b", "c"),
        node("DequantizeLinear", "c sy zy"),
    ]
    opened = OnnxModel(saved(made(nodes, shape, constants), tmp_path))
    x = np.abs(samples(shape))
    np.testing.assert_allclose(opened._reader.outputs(x), opened.outputs(x), atol=1e-5)


def test_integer_matrix(tmp_path: Path) -> None:
    constants = {
        "sx": np.float32(1 / 255),
        "zx": np.uint8(0),
        "w": RNG.integers(0, 200, (6, 3)).astype(np.uint8),
        "sw": np.float32(0.01),
        "zw": np.uint8(100),
        "sy": np.float32(0.05),
        "zy": np.uint8(128),
    }
    nodes = [
        node("QuantizeLinear", "x sx zx", "q"),
        node("QLinearMatMul", "q sx zx w sw zw sy zy", "c"),
        node("DequantizeLinear", "c sy zy"),
    ]
    opened = OnnxModel(saved(made(nodes, (6,), constants), tmp_path))
    x = np.abs(samples((6,)))
    np.testing.assert_allclose(opened._reader.outputs(x), opened.outputs(x), atol=1e-5)


@pytest.mark.parametrize("last", [True, False])
def test_what_onnxruntime_quantizes_beyond_the_standard(last: bool, tmp_path: Path) -> None:
    """A sum, a mean and a dense layer in integers; the last one gives floats where it has no scale for its result."""
    constants = {
        "sx": np.float32(1 / 100),
        "zx": np.uint8(60),
        "sy": np.float32(0.03),
        "zy": np.uint8(100),
        "sw": np.full(3, 0.01, np.float32),
        "w": RNG.integers(-100, 100, (3, 2)).astype(np.int8),
        "zw": np.zeros(3, np.int8),
        "b": np.array([100, -50, 20], np.int32),
        "k": RNG.integers(0, 200, (2, 1, 1)).astype(np.uint8),
    }
    domain = "com.microsoft"
    nodes = [
        node("QuantizeLinear", "x sx zx", "q"),
        node("QLinearAdd", "q sx zx q sx zx sy zy", "twice", name="twice_", domain=domain),
        node("QLinearAdd", "twice sy zy k sx zx sy zy", "t", domain=domain),
        node("QLinearGlobalAveragePool", "t sy zy sy zy", "m", domain=domain),
        node("Flatten", "m", "f"),
        node("QGemm", "f sy zy w sw zw b" + " sy zy" * last, "g" if last else "y", domain=domain, transB=1),
        *([node("DequantizeLinear", "g sy zy")] if last else []),
    ]
    opened = OnnxModel(saved(made(nodes, (2, 4, 3), constants, domains=[domain]), tmp_path))
    x = samples((2, 4, 3))
    off = np.abs(opened._reader.outputs(x) - opened.outputs(x))
    assert (off > 1e-5).mean() < 0.1  # what lies between two steps may go either way


def test_scales_that_do_not_fit_are_said(tmp_path: Path) -> None:
    constants = {"q": np.zeros((6, 3), np.int8), "s": weights(4), "z": np.zeros(4, np.int8)}
    nodes = [node("DequantizeLinear", "q s z", "w"), node("MatMul", "x w")]
    with pytest.raises(Exception, match="has 4 scales for 3 channels"):
        OnnxModel(saved(made(nodes, (6,), constants), tmp_path))
