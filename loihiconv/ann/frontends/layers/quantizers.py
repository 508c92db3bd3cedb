"""Quantizers of activations: functions of PyTorch that fake them, and modules of quantization-aware training."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from loihiconv.ann.frontends.layers.constants import per_channel
from loihiconv.ann.frontends.registry import Call, Result, Signal, on_function, on_module_named
from loihiconv.ann.graph import Quantize, arranged

_PLACES = ("torch.ao.quantization", "torchao.quantization.pt2e")
_OBSERVERS = (
    *("MinMaxObserver", "MovingAverageMinMaxObserver", "PerChannelMinMaxObserver", "MovingAveragePerChannelMinMaxObserver"),
    *("HistogramObserver", "PlaceholderObserver", "FixedQParamsObserver", "RecordingObserver", "NoopObserver", "ReuseInputObserver"),
)
_SIMPLE = "use one scale for the layer, or one per channel, and zero points that are whole numbers"


def quantizer(call: Call, input: Signal, scale: Any, zero_point: Any, low: int, high: int, axis: int | None = None) -> Result:
    """Whole numbers from ``low`` to ``high`` times scales, once the zero point is subtracted; one scale, or one along an axis."""
    scales = call.array(torch.as_tensor(scale).double(), "scale")
    zeros = call.array(torch.as_tensor(zero_point).double(), "zero point").ravel()
    whole = np.rint(zeros)
    if not np.allclose(zeros, whole, atol=1e-4) or (whole != whole[0]).any():
        raise call.refuse("has a zero point between two steps, or several of them", _SIMPLE)
    least, most = low - int(whole[0]), high - int(whole[0])
    if least > 0 or most <= 0:
        raise call.refuse(f"has steps from {least} to {most} only", "quantize with zero among the steps, and steps above it")
    return Quantize(call.name, (input.name,), _spread(call, input, scales, axis), least, most)


def _spread(call: Call, input: Signal, scales: Any, axis: int | None) -> Any:
    """Scales shaped to broadcast to the signal as its node has it."""
    if scales.size == 1:
        return scales.reshape(())
    if axis is None and scales.ndim == len(input.shape):  # as they broadcast to the tensor
        axis = int(np.argmax(scales.shape))
    if axis is not None and axis % len(input.shape) == 1 and scales.size == input.shape[1]:
        return per_channel(scales.ravel(), input)
    raise call.refuse(f"has scales of shape {scales.shape} for a result of shape {arranged(input.shape[1:])}", _SIMPLE)


# --- functions


@on_function(torch.fake_quantize_per_tensor_affine)
def fake_quantize(call: Call, input: Signal, scale: Any, zero_point: Any, quant_min: int, quant_max: int) -> Result:
    return quantizer(call, input, scale, zero_point, quant_min, quant_max)


@on_function(torch.fake_quantize_per_channel_affine)
def fake_quantize_channels(call: Call, input: Signal, scale: Any, zero_point: Any, axis: int, quant_min: int, quant_max: int) -> Result:
    return quantizer(call, input, scale, zero_point, quant_min, quant_max, axis)


@on_function(torch.fused_moving_avg_obs_fake_quant)
def fused_fake_quantize(
    call: Call,
    input: Signal,
    observer_on: Any,
    fake_quant_on: Any,
    running_min: Any,
    running_max: Any,
    scale: Any,
    zero_point: Any,
    averaging_const: float,
    quant_min: int,
    quant_max: int,
    ch_axis: int,
    per_row_fake_quant: bool = False,
    symmetric_quant: bool = False,
) -> Result:
    if bool(torch.as_tensor(observer_on).any()):
        raise call.refuse("goes on watching activations", "call torch.ao.quantization.disable_observer on the model")
    if not bool(torch.as_tensor(fake_quant_on).any()):
        return input
    return quantizer(call, input, scale, zero_point, quant_min, quant_max, ch_axis if per_row_fake_quant else None)


# --- modules of torch.ao


@on_module_named(
    *(f"{place}.fake_quantize.{kind}" for place in _PLACES for kind in ("FakeQuantize", "FusedMovingAvgObsFakeQuantize")),
    *(f"{place}.fake_quantize.FixedQParamsFakeQuantize" for place in _PLACES),
)
def fake_quantize_module(call: Call, module: Any, input: Signal) -> Result:
    """Observers are switched off where models are copied, so that a quantizer is the same for all samples."""
    if not bool(module.fake_quant_enabled[0]):
        return input
    ends = module.activation_post_process
    return quantizer(
        call, input, module.scale, module.zero_point, ends.quant_min, ends.quant_max, module.ch_axis if module.is_per_channel else None
    )


@on_module_named(
    *(f"{place}.observer.{kind}" for place in _PLACES for kind in _OBSERVERS),
    *(f"torch.ao.quantization.stubs.{kind}" for kind in ("QuantStub", "DeQuantStub")),
)
def observer(call: Call, module: nn.Module, input: Signal) -> Result:
    return input
