"""Brevitas' layers: weights, biases and activations as their quantizers leave them in evaluation mode. Brevitas is not imported."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

from loihiconv.ann.frontends.layers.activations import hardtanh
from loihiconv.ann.frontends.layers.arithmetic import add
from loihiconv.ann.frontends.layers.fused import Step, in_turn, nodes_of, with_weights
from loihiconv.ann.frontends.layers.quantizers import quantizer
from loihiconv.ann.frontends.layers.resampling import interpolate
from loihiconv.ann.frontends.quantized import plain
from loihiconv.ann.frontends.registry import Call, Result, Signal, module_handler, on_module_named
from loihiconv.ann.frontends.remedies import remedy
from loihiconv.ann.graph import Node
from loihiconv.core.linear import Shape

_PLACE = "brevitas.nn"
_WITH_WEIGHTS = (
    *(f"{_PLACE}.quant_conv.QuantConv{axes}d" for axes in (1, 2, 3)),
    *(f"{_PLACE}.quant_convtranspose.QuantConvTranspose{axes}d" for axes in (1, 2)),
    f"{_PLACE}.quant_linear.QuantLinear",
)
_KINDS = ("QuantReLU", "QuantIdentity", "QuantHardTanh", "QuantSigmoid", "QuantTanh", "QuantHardSwish")


@on_module_named(*_WITH_WEIGHTS)
def with_quantized_weights(call: Call, module: Any, input: Signal) -> Result:
    if getattr(module, "is_same_padded_strided", False):
        raise call.refuse("pads with padding='same' and a stride", "pad with numbers")
    with torch.no_grad():
        taken = module.input_quant(call.given[0])
        weight = module.quant_weight(taken)
        bias = None if module.bias is None else plain(module.bias_quant(module.bias, taken, weight))
    weights = Step("weights", lambda own, x: with_weights(own, module, x, plain(weight), bias), call.shape)
    return in_turn(call, input, [*_steps(module.input_quant, input.shape), weights, *_steps(module.output_quant, call.shape)])


@on_module_named(*(f"{_PLACE}.quant_activation.{kind}" for kind in _KINDS))
def activation(call: Call, module: Any, input: Signal) -> Result:
    before = getattr(module, "input_quant", None)
    steps = [] if before is None else _steps(before, input.shape)
    if type(module).__name__ == "QuantHardTanh" and module.act_quant.is_quant_enabled:  # its bounds are those of its quantizer
        steps.append(Step("bounds", partial(_bounds, module.act_quant), input.shape))
    return in_turn(call, input, [*steps, *_steps(module.act_quant, input.shape)])


@on_module_named(f"{_PLACE}.quant_eltwise.QuantEltwiseAdd")
def sum_of_two(call: Call, module: Any, input: Signal, other: Signal) -> Result:
    nodes: list[Node] = []
    terms: list[Signal] = []
    for signal in (input, other):
        own = replace(call, name=call.fresh(f"{call.name}.term"))
        result = in_turn(own, signal, _steps(module.input_quant, signal.shape))
        nodes += nodes_of(result)
        terms.append(result if isinstance(result, Signal) else Signal(nodes[-1].name, signal.shape))
    total = Step("sum", lambda own, x: add(own, x, terms[1]), call.shape)
    return (*nodes, *nodes_of(in_turn(call, terms[0], [total, *_steps(module.output_quant, call.shape)])))


@on_module_named(
    *(f"{_PLACE}.quant_upsample.{kind}" for kind in ("QuantUpsample", "QuantUpsamplingBilinear2d", "QuantUpsamplingNearest2d"))
)
def upsample(call: Call, module: Any, input: Signal) -> Any:
    options = (module.size, module.scale_factor, module.mode, module.align_corners)
    return interpolate(replace(call, repeat=lambda tensors: F.interpolate(tensors[input], *options)), input, mode=module.mode)


def _steps(proxy: Any, shape: Shape) -> list[Step]:
    """What a quantizer of activations does: the function before it, a ReLU or none, and rounding if that is not switched off."""
    fused = proxy.fused_activation_quant_proxy
    if fused is None:
        return []
    steps = [Step("function", partial(_function, fused.activation_impl), shape)]
    return [*steps, Step("quantizer", partial(_quantizer, proxy), shape)] if proxy.is_quant_enabled else steps


def _function(module: Any, call: Call, input: Signal) -> Result:
    handler, own = module_handler(module), replace(call, operation=type(module).__name__)
    if handler is None:
        raise own.refuse("cannot be converted", remedy(own.operation))
    return handler(own, module, input)  # type: ignore[return-value]  # one result: it is an activation


def _bounds(proxy: Any, call: Call, input: Signal) -> Result:
    scale, _, low, high = _scale(proxy, call)
    return hardtanh(call, input, low * float(scale), high * float(scale)) if scale.numel() == 1 else input


def _quantizer(proxy: Any, call: Call, input: Signal) -> Result:
    return quantizer(call, input, *_scale(proxy, call))


def _scale(proxy: Any, call: Call) -> tuple[torch.Tensor, Any, int, int]:
    """Scale, zero point, and the least and largest whole number of a quantizer."""
    with torch.no_grad():
        scale, zero_point, bits = proxy.scale(), proxy.zero_point(), proxy.bit_width()
    if scale is None or bits is None or not float(bits).is_integer():
        raise call.refuse("has a scale that follows each sample, or bits that are no whole number", "quantize with constants")
    if proxy.rounding_mode not in ("ROUND", None):
        raise call.refuse(f"rounds with {proxy.rounding_mode}", "round to the nearest")
    steps, narrow = 2 ** int(bits), int(proxy.is_narrow_range)
    low, high = (narrow - steps // 2, steps // 2 - 1) if proxy.is_signed else (0, steps - 1 - narrow)
    return scale, zero_point, low, high
