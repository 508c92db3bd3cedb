"""Convolutions and matrices as onnxruntime computes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loihiconv.core.errors import InvalidModel
from tests.ann.frontends.onnx.made import carried_out, made, node, refusal, weights

CONV: dict[str, dict[str, Any]] = {
    "plain": {},
    "strides": {"strides": [2, 1]},
    "pads": {"pads": [1, 1, 1, 1]},
    "uneven pads": {"pads": [0, 1, 2, 0]},
    "dilations": {"dilations": [2, 2]},
    "same upper": {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
    "same lower": {"auto_pad": "SAME_LOWER", "strides": [2, 2]},
    "valid": {"auto_pad": "VALID"},
}


@pytest.mark.parametrize("case", CONV)
def test_conv(case: str, tmp_path: Path) -> None:
    shape = (4, 8, 7)
    carried_out(made([node("Conv", "x w b", **CONV[case])], shape, {"w": weights(6, 4, 3, 3), "b": weights(6)}), shape, tmp_path)


@pytest.mark.parametrize(("groups", "shape"), [(1, (4, 9)), (2, (4, 9)), (4, (4, 9, 8)), (1, (4, 5, 6, 4))])
def test_groups_and_other_dimensions(groups: int, shape: tuple[int, ...], tmp_path: Path) -> None:
    kernel = weights(8, 4 // groups, *(3,) * (len(shape) - 1))
    carried_out(made([node("Conv", "x w", group=groups)], shape, {"w": kernel}), shape, tmp_path)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"activation": "Relu"},
        {"activation": "LeakyRelu", "activation_params": [0.2]},
        {"activation": "Clip", "activation_params": [-0.1, 0.3]},
    ],
)
def test_convolutions_that_onnxruntime_fused(options: dict[str, Any], tmp_path: Path) -> None:
    constants = {"w": weights(4, 4, 3, 3), "b": weights(4)}
    domain = "com.microsoft"
    nodes = [
        node("FusedConv", "x w b", "h", name="first", domain=domain, pads=[1, 1, 1, 1], **options),
        node("FusedConv", "h w b x", domain=domain, pads=[1, 1, 1, 1], **options),
    ]
    carried_out(made(nodes, (4, 5, 4), constants, domains=[domain]), (4, 5, 4), tmp_path)


def test_dense_layers_that_onnxruntime_fused(tmp_path: Path) -> None:
    constants = {"w": weights(6, 3), "b": weights(3)}
    for options in ({"activation": "Relu"}, {"activation": "LeakyRelu", "activation_alpha": 0.3}):
        model = made([node("FusedGemm", "x w b", domain="com.microsoft", **options)], (6,), constants, domains=["com.microsoft"])
        carried_out(model, (6,), tmp_path)
    other = made([node("FusedGemm", "x w b", domain="com.microsoft", activation="Elu")], (6,), constants, domains=["com.microsoft"])
    assert "FusedGemm has Elu in it" in refusal(other, (6,), tmp_path)


TRANSPOSED: dict[str, dict[str, Any]] = {
    "plain": {},
    "strides": {"strides": [2, 2]},
    "pads": {"strides": [2, 2], "pads": [1, 1, 1, 1]},
    "uneven pads": {"strides": [2, 2], "pads": [1, 0, 0, 1]},
    "output padding": {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]},
    "same upper": {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
    "same lower": {"auto_pad": "SAME_LOWER", "strides": [2, 2]},
    "output shape": {"output_shape": [9, 10], "strides": [2, 2]},
    "groups": {"group": 2},
    "dilations": {"dilations": [2, 1]},
}


@pytest.mark.parametrize("case", TRANSPOSED)
def test_conv_transpose(case: str, tmp_path: Path) -> None:
    shape, attributes = (4, 4, 5), TRANSPOSED[case]
    kernel = weights(4, 6 // attributes.get("group", 1), 3, 3)
    carried_out(made([node("ConvTranspose", "x w b", **attributes)], shape, {"w": kernel, "b": weights(6)}), shape, tmp_path)


@pytest.mark.parametrize("transposed", [0, 1])
@pytest.mark.parametrize("bias", [(), (1,), (3,), (1, 3)])
def test_gemm(transposed: int, bias: tuple[int, ...], tmp_path: Path) -> None:
    constants = {"w": weights(*((3, 6) if transposed else (6, 3))), "c": weights(*bias)}
    carried_out(made([node("Gemm", "x w c", transB=transposed, alpha=0.5, beta=2.0)], (6,), constants), (6,), tmp_path)


def test_gemm_without_bias_and_with_a_product_of_two_activations(tmp_path: Path) -> None:
    carried_out(made([node("Gemm", "x w")], (6,), {"w": weights(6, 3)}), (6,), tmp_path)
    assert "the_gemm" in refusal(made([node("Gemm", "x x", transB=1)], (6,)), (6,), tmp_path)


def test_matmul(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x w", "h"), node("Add", "h b")]
    carried_out(made(nodes, (6,), {"w": weights(6, 3), "b": weights(3)}), (6,), tmp_path)
    carried_out(made([node("MatMul", "x w")], (4, 6), {"w": weights(6, 3)}), (4, 6), tmp_path)
    carried_out(made([node("MatMul", "x w")], (4, 6), {"w": weights(1, 6, 3)}), (4, 6), tmp_path)
    carried_out(made([node("MatMul", "w x")], (4, 6), {"w": weights(3, 4)}), (4, 6), tmp_path)


def test_weights_that_are_activations_are_refused(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "w"), node("Conv", "x w")]
    assert "Conv takes its weights from the network's input" in refusal(made(nodes, (4, 3, 3), batch=4), (4, 3, 3), tmp_path)


def test_contradictions_are_said(tmp_path: Path) -> None:
    wrong = made([node("Conv", "x w", strides=[1, 1, 1])], (4, 8, 8), {"w": weights(6, 4, 3, 3)})
    assert "the_conv: Conv has 3 numbers as strides, where 2 are expected" in refusal(wrong, (4, 8, 8), tmp_path)
    wrong = made([node("Conv", "x w", pads=[-1, 0, 0, -1])], (4, 8, 8), {"w": weights(6, 4, 3, 3)})
    with pytest.raises(InvalidModel, match=r"the_conv: Conv has windows of .* with pads \(-1, 0, 0, -1\)"):
        carried_out(wrong, (4, 8, 8), tmp_path)  # onnxruntime would end the process
    wrong = made([node("Conv", "x w")], (4, 8, 8), {"w": weights(6, 4, 3)})
    assert "has weights of shape (6, 4, 3) and an input of shape (3, 4, 8, 8)" in refusal(wrong, (4, 8, 8), tmp_path)
    wrong = made([node("Conv", "x w", auto_pad="SOME")], (4, 8, 8), {"w": weights(6, 4, 3, 3)})
    assert "has auto_pad 'SOME'" in refusal(wrong, (4, 8, 8), tmp_path)
    wrong = made([node("Conv", "x w")], (4, 8, 8), {"w": weights(6, 3, 3, 3)})
    assert "the_conv: Conv fails on inputs of shapes" in refusal(wrong, (4, 8, 8), tmp_path)
    huge = np.zeros((4, 4, 2, 2), np.float32)
    wrong = made([node("ConvTranspose", "x w", strides=[30000, 30000])], (4, 8, 8), {"w": huge})
    assert "makes a tensor of shape" in refusal(wrong, (4, 8, 8), tmp_path)
