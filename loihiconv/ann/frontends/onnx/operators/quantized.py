"""Quantized operators: weights become the floats that their integers stand for, activations those that theirs do."""

# ruff: noqa: D103  each function is named after what it carries out, and says nothing that its decorator does not

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from loihiconv.ann.frontends.onnx.graph import Operation
from loihiconv.ann.frontends.onnx.operators.convolutions import conv, matmul
from loihiconv.ann.frontends.onnx.operators.registry import constant, operator


@operator("QuantizeLinear")
def quantize(op: Operation, x: Any, scale: Any, zero: Any = None) -> Any:
    if op.live:
        return _rounded(op, x, scale, zero, int(op.get("axis", 1)))
    raise op.refuse("quantizes a constant", "export the float network, or fold the constants first")


@operator("DequantizeLinear")
def dequantize(op: Operation, x: Any, scale: Any, zero: Any = None) -> Any:
    if op.live:
        return x
    if op.get("block_size", 0):
        raise op.refuse("has a scale for each block", "quantize weights per tensor or per channel")
    return _dequantized(op, x, scale, zero, int(op.get("axis", 1)))


@operator("QLinearConv")
def qlinear_conv(
    op: Operation, x: Any, x_scale: Any, x_zero: Any, w: Any, w_scale: Any, w_zero: Any, y_scale: Any, y_zero: Any, bias: Any = None
) -> Any:
    weight = _dequantized(op, w, w_scale, w_zero, 0)
    scaled = None if bias is None else constant(op, bias, "bias") * constant(op, x_scale, "scale") * constant(op, w_scale, "scale")
    return _rounded(op, conv(op, x, weight, scaled), y_scale, y_zero)


@operator("QLinearMatMul")
def qlinear_matmul(op: Operation, a: Any, a_scale: Any, a_zero: Any, b: Any, b_scale: Any, b_zero: Any, y_scale: Any, y_zero: Any) -> Any:
    weight = _dequantized(op, b, b_scale, b_zero, 1) if isinstance(b, Tensor) and not b.is_floating_point() else b
    return _rounded(op, matmul(op, a, weight), y_scale, y_zero)


@operator("com.microsoft.QGemm")
def qgemm(
    op: Operation,
    a: Any,
    a_scale: Any,
    a_zero: Any,
    b: Any,
    b_scale: Any,
    b_zero: Any,
    c: Any = None,
    y_scale: Any = None,
    y_zero: Any = None,
) -> Any:
    if op.get("transA", 0):
        raise op.refuse("mixes samples: transA=1", "export the float network")
    transposed, alpha = bool(op.get("transB", 0)), float(op.get("alpha", 1.0))
    weight = _dequantized(op, b, b_scale, b_zero, 0 if transposed else 1)
    scale = constant(op, a_scale, "scale") * constant(op, b_scale, "scale")
    bias = None if c is None else constant(op, c, "bias") * scale
    result = F.linear(a, alpha * (weight if transposed else weight.T), None if bias is None else alpha * bias.flatten())
    return result if y_scale is None else _rounded(op, result, y_scale, y_zero)


@operator("com.microsoft.QLinearAdd")
def qlinear_add(
    op: Operation, a: Any, a_scale: Any, a_zero: Any, b: Any, b_scale: Any, b_zero: Any, y_scale: Any, y_zero: Any = None
) -> Any:
    given = ((a, a_scale, a_zero), (b, b_scale, b_zero))
    terms = [_dequantized(op, x, scale, zero, 0) if isinstance(x, Tensor) and not x.is_floating_point() else x for x, scale, zero in given]
    return _rounded(op, torch.add(*terms), y_scale, y_zero)


@operator("com.microsoft.QLinearGlobalAveragePool")
def qlinear_mean(op: Operation, x: Any, x_scale: Any, x_zero: Any, y_scale: Any, y_zero: Any) -> Any:
    if op.get("channels_last", 0):
        raise op.refuse("has channels_last=1", "keep channels first")
    return _rounded(op, torch.mean(x, tuple(range(2, x.ndim)), keepdim=True), y_scale, y_zero)


def _rounded(op: Operation, x: Any, scale: Any, zero: Any, axis: int = 1) -> Any:
    """What the integers of an activation stand for, which the operator that dequantizes them leaves as it is."""
    scale = constant(op, scale, "scale").float()
    zero = torch.zeros(()) if zero is None else constant(op, zero, "zero point")
    if op.integers == (0, 0) or op.get("block_size", 0):
        raise op.refuse("quantizes activations to floats or in blocks", "quantize them to integers, or convert the float network")
    if scale.numel() == 1:
        return torch.fake_quantize_per_tensor_affine(x, float(scale), int(zero), *op.integers)
    return torch.fake_quantize_per_channel_affine(x, scale, zero.to(torch.int32).expand(scale.shape), axis, *op.integers)


def _dequantized(op: Operation, q: Any, scale: Any, zero: Any, axis: int) -> Tensor:
    """Weights, scale (q - zero), where scale and zero are numbers or one per index of the axis."""
    q, scale = constant(op, q, "weights"), constant(op, scale, "scale")
    zero = torch.zeros(()) if zero is None else constant(op, zero, "zero point").float()
    if scale.numel() > 1:
        axis %= q.ndim
        if scale.numel() != q.shape[axis]:
            raise op.broken(f"has {scale.numel()} scales for {q.shape[axis]} channels")
        spread = [-1 if i == axis else 1 for i in range(q.ndim)]
        scale, zero = scale.reshape(spread), zero.reshape(spread) if zero.numel() > 1 else zero
    weights: Tensor = (q.float() - zero) * scale
    return weights
