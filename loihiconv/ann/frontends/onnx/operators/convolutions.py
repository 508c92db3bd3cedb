"""Operators with weights: convolutions and matrices."""

# ruff: noqa: D103  each function is named after what it carries out, and says nothing that its decorator does not

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from loihiconv.ann.frontends.onnx.graph import Operation
from loihiconv.ann.frontends.onnx.operators.registry import check_size, constant, operator
from loihiconv.ann.frontends.onnx.windows import Window, flat_pads, window

_CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


@operator("Conv")
def conv(op: Operation, x: Any, weight: Any, bias: Any = None) -> Any:
    weight = constant(op, weight, "weights")
    dims = _dims(op, x, weight)
    w = window(op, x, tuple(weight.shape[2:]))
    around: Any = w.symmetric
    if around is None:
        x, around = F.pad(x, flat_pads(w.begin, w.end)), 0
    return _CONV[dims](x, weight, bias, w.stride, around, w.dilation, int(op.get("group", 1)))


@operator("com.microsoft.FusedConv")
def fused_conv(op: Operation, x: Any, weight: Any, bias: Any = None, added: Any = None) -> Any:
    """As onnxruntime saves what it has optimized: a convolution, a sum, and an activation."""
    result = conv(op, x, weight, bias)
    return _activated(op, result if added is None else result + added, tuple(op.get("activation_params", ())))


@operator("com.microsoft.FusedGemm")
def fused_gemm(op: Operation, a: Any, b: Any, c: Any = None) -> Any:
    params = [op.get(f"activation_{name}") for name in ("alpha", "beta")]
    return _activated(op, gemm(op, a, b, c), tuple(value for value in params if value is not None))


_ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "": lambda x: x,
    "Relu": F.relu,
    "Tanh": torch.tanh,
    "Sigmoid": torch.sigmoid,
    "LeakyRelu": lambda x, alpha=0.01: F.leaky_relu(x, alpha),
    "Clip": lambda x, low, high: torch.clamp(x, low, high),
}


def _activated(op: Operation, x: Any, params: tuple[float, ...]) -> Any:
    kind = str(op.get("activation", ""))
    if kind not in _ACTIVATIONS:
        raise op.refuse(f"has {kind} in it", "save the model without onnxruntime's optimizations")
    return _ACTIVATIONS[kind](x, *params)


@operator("ConvTranspose")
def conv_transpose(op: Operation, x: Any, weight: Any, bias: Any = None) -> Any:
    weight = constant(op, weight, "weights")
    dims, groups = _dims(op, x, weight), int(op.get("group", 1))
    w = window(op, x, tuple(weight.shape[2:]), transposed=True)
    extra = tuple(op.get("output_padding", (0,) * dims))
    whole = [s * (n - 1) + d * (k - 1) + 1 + e for s, n, d, k, e in zip(w.stride, x.shape[2:], w.dilation, w.kernel, extra, strict=True)]
    check_size(op, (int(x.shape[0]), int(weight.shape[1]) * groups, *whole))
    begin, end = _cropped(op, w, whole)
    if begin == end and min(begin) >= 0:
        return _TRANSPOSED[dims](x, weight, bias, w.stride, begin, extra, groups, w.dilation)
    y = _TRANSPOSED[dims](x, weight, None, w.stride, 0, 0, groups, w.dilation)
    y = F.pad(y, flat_pads([-b for b in begin], [e - c for e, c in zip(extra, end, strict=True)]))
    return y if bias is None else y + constant(op, bias, "bias").reshape(1, -1, *(1,) * dims)  # also where no input reaches


def _cropped(op: Operation, w: Window, whole: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What of the whole result is cut off at the beginnings and the ends."""
    wanted = op.get("output_shape")
    upper = op.get("auto_pad", "NOTSET") == "SAME_UPPER"
    if wanted is None and op.get("auto_pad", "NOTSET") in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [n * s for n, s in zip(w.input, w.stride, strict=True)]
    if wanted is None:
        return w.begin, w.end
    surplus = [max(0, n - int(size)) for n, size in zip(whole, wanted[-len(whole) :], strict=True)]
    small, large = tuple(n // 2 for n in surplus), tuple(n - n // 2 for n in surplus)
    return (small, large) if upper else (large, small)


def _dims(op: Operation, x: Any, weight: Tensor) -> int:
    dims = weight.ndim - 2
    if dims not in _CONV or len(x.shape) != weight.ndim:
        raise op.broken(f"has weights of shape {tuple(weight.shape)} and an input of shape {tuple(x.shape)}")
    return dims


@operator("Gemm")
def gemm(op: Operation, a: Any, b: Any, c: Any = None) -> Any:
    if op.get("transA", 0):
        a = torch.transpose(a, 0, 1)
    alpha, beta = float(op.get("alpha", 1.0)), float(op.get("beta", 1.0))
    if not isinstance(b, Tensor):
        y = torch.matmul(a, torch.transpose(b, 0, 1) if op.get("transB", 0) else b)
        y = y if alpha == 1 else torch.mul(y, alpha)
        return y if c is None else torch.add(y, c if beta == 1 else torch.mul(c, beta))
    weight = b if op.get("transB", 0) else b.T
    bias = None if c is None else constant(op, c, "bias") * beta
    rows = bias is not None and bias.numel() not in (1, weight.shape[0])
    y = F.linear(a, weight * alpha, None if bias is None or rows else bias.flatten().expand(weight.shape[0]))
    return torch.add(y, bias) if bias is not None and rows else y


@operator("MatMul")
def matmul(op: Operation, a: Any, b: Any) -> Any:
    return F.linear(a, b.T) if isinstance(b, Tensor) and b.ndim == 2 and op.live else torch.matmul(a, b)
