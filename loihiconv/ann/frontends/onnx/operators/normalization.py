"""Operators that shift and scale by statistics."""

# ruff: noqa: D103  each function is named after what it carries out, and says nothing that its decorator does not

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from loihiconv.ann.frontends.onnx.graph import Operation
from loihiconv.ann.frontends.onnx.operators.registry import constant, operator


@operator("BatchNormalization")
def batch_norm(op: Operation, x: Any, scale: Any, bias: Any, mean: Any, var: Any) -> Any:
    if op.get("training_mode", 0):
        raise op.refuse("is in training mode", "export the model in evaluation mode")
    if not op.get("spatial", 1):
        raise op.refuse("has statistics for each pixel", "use statistics for each channel")
    gamma, beta, mean, var = (constant(op, v, "statistics") for v in (scale, bias, mean, var))
    return F.batch_norm(x, mean, var, gamma, beta, False, 0.0, float(op.get("epsilon", 1e-5)))


@operator("ai.onnx.ml.Scaler")
def scaler(op: Operation, x: Any) -> Any:
    offset, scale = (torch.tensor(op.get(name, (default,)), dtype=torch.float32) for name, default in (("offset", 0.0), ("scale", 1.0)))
    return (x - offset) * scale


@operator("InstanceNormalization")
def instance_norm(op: Operation, x: Any, scale: Any, bias: Any) -> Any:
    return F.instance_norm(x, weight=scale, bias=bias, eps=float(op.get("epsilon", 1e-5)))


@operator("LayerNormalization")
def layer_norm(op: Operation, x: Any, scale: Any, bias: Any = None) -> Any:
    return F.layer_norm(x, tuple(x.shape[op.get("axis", -1) :]), scale, bias, float(op.get("epsilon", 1e-5)))


@operator("GroupNormalization")
def group_norm(op: Operation, x: Any, scale: Any, bias: Any) -> Any:
    if op.opset < 21:  # per group; PyTorch has no such thing, and neither can be converted
        scale = bias = None
    return F.group_norm(x, int(op.get("num_groups", 1)), scale, bias, float(op.get("epsilon", 1e-5)))


@operator("LRN")
def lrn(op: Operation, x: Any) -> Any:
    alpha, beta, bias = (float(op.get(name, default)) for name, default in (("alpha", 1e-4), ("beta", 0.75), ("bias", 1.0)))
    return F.local_response_norm(x, int(op.get("size", 1)), alpha, beta, bias)
