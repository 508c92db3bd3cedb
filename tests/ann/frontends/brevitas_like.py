"""Layers that look and compute as Brevitas' do, for tests without it."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class QuantTensor(NamedTuple):
    value: Tensor
    scale: Tensor
    zero_point: Tensor
    bit_width: Tensor

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Max-pooling and the like leave the scale as it is."""
        quantized = next(value for value in args if isinstance(value, QuantTensor))
        result = function(*(value.value if isinstance(value, QuantTensor) else value for value in args), **(kwargs or {}))
        return quantized._replace(value=result)

    @property
    def shape(self) -> torch.Size:
        return self.value.shape

    def flatten(self, dim: int) -> Any:
        return self._replace(value=self.value.flatten(dim))


class Fused(nn.Module):
    def __init__(self, function: nn.Module) -> None:
        super().__init__()
        self.activation_impl = function


class Proxy(nn.Module):
    """A quantizer of activations, after a function."""

    rounding_mode, is_narrow_range = "ROUND", False

    def __init__(self, function: nn.Module | None = None, bits: int = 4, step: float = 0.1, zero: float = 0, signed: bool = False) -> None:
        super().__init__()
        self.fused_activation_quant_proxy = None if function is None else Fused(function)
        self.is_quant_enabled, self.is_signed = bits > 0, signed
        self.register_buffer("_scale", torch.tensor(step))
        self._zero, self._bits = torch.tensor(zero), torch.tensor(float(bits))

    def scale(self) -> Any:
        return self._scale

    def zero_point(self) -> Tensor:
        return self._zero

    def bit_width(self) -> Tensor:
        return self._bits

    def forward(self, x: Any) -> Any:
        fused = self.fused_activation_quant_proxy
        if fused is None:
            return x
        x = fused.activation_impl(x.value if isinstance(x, QuantTensor) else x)
        if not self.is_quant_enabled:
            return x
        steps = 2 ** int(self._bits)
        low, high = (-steps // 2, steps // 2 - 1) if self.is_signed else (0, steps - 1)
        whole = torch.clamp(torch.round(x / self._scale + self._zero), low, high)
        return QuantTensor((whole - self._zero) * self._scale, self._scale, self._zero, self._bits)


class QuantReLU(nn.Module):
    """Any activation: types with other names derive from it."""

    def __init__(self, act: Proxy, wrapped: bool = False) -> None:
        super().__init__()
        self.input_quant, self.act_quant, self.wrapped = Proxy(), act, wrapped

    def forward(self, x: Any) -> Any:
        result = self.act_quant(self.input_quant(x))
        return result if self.wrapped or isinstance(result, Tensor) else result.value


class QuantIdentity(QuantReLU):
    pass


class QuantHardTanh(QuantReLU):
    pass


class _Weighted:
    input_quant: Proxy
    output_quant: Proxy
    weight: Tensor
    bias: Tensor | None

    def quant_weight(self, taken: Any) -> QuantTensor:
        step = self.weight.abs().max() / 7
        return QuantTensor(torch.round(self.weight / step) * step, step, torch.zeros(()), torch.tensor(4.0))

    def bias_quant(self, bias: Tensor, taken: Any, weight: QuantTensor) -> QuantTensor | Tensor:
        if not isinstance(taken, QuantTensor):
            return bias
        step = taken.scale * weight.scale
        return QuantTensor(torch.round(bias / step) * step, step, torch.zeros(()), torch.tensor(32.0))

    def _computed(self, function: Any, x: Any) -> Any:
        taken = self.input_quant(x)
        weight = self.quant_weight(taken)
        bias = None if self.bias is None else self.bias_quant(self.bias, taken, weight)
        plain = (value.value if isinstance(value, QuantTensor) else value for value in (taken, weight, bias))
        result = self.output_quant(function(*plain))
        return result.value if isinstance(result, QuantTensor) else result


class QuantConv2d(_Weighted, nn.Conv2d):
    def __init__(self, *sizes: Any, **options: Any) -> None:
        super().__init__(*sizes, **options)
        self.input_quant, self.output_quant = Proxy(), Proxy()

    def forward(self, x: Any) -> Any:
        return self._computed(self._conv_forward, x)


class QuantLinear(_Weighted, nn.Linear):
    def __init__(self, *sizes: Any, **options: Any) -> None:
        super().__init__(*sizes, **options)
        self.input_quant, self.output_quant = Proxy(), Proxy()

    def forward(self, x: Any) -> Any:
        return self._computed(nn.functional.linear, x)


class QuantEltwiseAdd(nn.Module):
    def __init__(self, before: Proxy, after: Proxy) -> None:
        super().__init__()
        self.input_quant, self.output_quant = before, after

    def forward(self, x: Any, y: Any) -> Tensor:
        total: Tensor = self.output_quant(self.input_quant(x).value + self.input_quant(y).value).value
        return total


class QuantUpsample(nn.Upsample):
    def forward(self, x: Any) -> Any:
        return x._replace(value=super().forward(x.value))


class QuantLSTM(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.tanh()


_PLACES = {
    "quant_activation": (QuantReLU, QuantIdentity, QuantHardTanh),
    "quant_conv": (QuantConv2d,),
    "quant_linear": (QuantLinear,),
    "quant_eltwise": (QuantEltwiseAdd,),
    "quant_upsample": (QuantUpsample,),
    "quant_rnn": (QuantLSTM,),
}
QuantTensor.__module__ = "brevitas.quant_tensor.int_quant_tensor"
for _file, _kinds in _PLACES.items():
    for _kind in _kinds:
        _kind.__module__ = f"brevitas.nn.{_file}"
