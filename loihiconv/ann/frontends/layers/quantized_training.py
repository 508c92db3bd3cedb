"""Layers of quantization-aware training in torch.ao: linear layers whose weights a quantizer rounds, with what is fused into them."""

from __future__ import annotations

from typing import Any

import torch

from loihiconv.ann.frontends.layers.activations import relu
from loihiconv.ann.frontends.layers.fused import Step, in_turn, with_weights
from loihiconv.ann.frontends.layers.weights import batch_norm_module
from loihiconv.ann.frontends.registry import Call, Result, Signal, on_module_named

_QAT, _FUSED = "torch.ao.nn.qat.modules", "torch.ao.nn.intrinsic.qat.modules"
_LAYERS = (
    *(f"{_QAT}.conv.Conv{axes}d" for axes in (1, 2, 3)),
    f"{_QAT}.linear.Linear",
    *(f"{_FUSED}.conv_fused.{kind}{axes}d" for kind in ("ConvBn", "ConvBnReLU", "ConvReLU") for axes in (1, 2, 3)),
    f"{_FUSED}.linear_relu.LinearReLU",
    f"{_FUSED}.linear_fused.LinearBn1d",
)


@on_module_named(*_LAYERS)
def trained_with_rounding(call: Call, module: Any, input: Signal) -> Result:
    """Weights as the quantizer leaves them: with the factors of the batch norm (Krishnamoorthi 2018, arXiv:1806.08342, section 3.2.2)."""
    norm = getattr(module, "bn", None)
    factors = torch.ones(()) if norm is None else norm.weight / torch.sqrt(norm.running_var + norm.eps)
    along = factors.reshape(-1, *(1,) * (module.weight.ndim - 1))
    with torch.no_grad():
        weight = module.weight_fake_quant(module.weight * along) / along
    steps = [Step("weights", lambda own, x: with_weights(own, module, x, weight, module.bias), call.shape)]
    if norm is not None:
        steps.append(Step("bn", lambda own, x: batch_norm_module(own, norm, x), call.shape))
    if type(module).__name__.rstrip("123d").endswith("ReLU"):
        steps.append(Step("relu", relu, call.shape))
    return in_turn(call, input, steps)
