"""What libraries of quantization leave behind: tensors wrapped together with their scale, and models of integers."""

from __future__ import annotations

from typing import Any

from torch import nn

from loihiconv.core.errors import UnsupportedLayer

_INTEGERS = ("torch.ao.nn.quantized", "torch.ao.nn.intrinsic.quantized")
_IN_FLOATS = ("FloatFunctional", "FXFloatFunctional")


def plain(value: Any) -> Any:
    """The tensor that a Brevitas ``QuantTensor`` stands for, scale times whole numbers; anything else as it is."""
    return value.value if type(value).__module__.startswith("brevitas.quant_tensor") else value


def is_quantized_layer(module: nn.Module) -> bool:
    """Whether a module is one of Brevitas', whose results are no plain tensors on their way through it."""
    return type(module).__module__.startswith("brevitas.nn.")


def check_float(model: nn.Module) -> None:
    """Refuse a model whose layers compute with integers already, whose rounding of sums is that of their kernels."""
    for path, part in model.named_modules():
        kind = type(part).__name__
        if type(part).__module__.startswith(_INTEGERS) and kind not in _IN_FLOATS:
            raise UnsupportedLayer(
                f"{kind} computes with integers, as torch.ao.quantization.convert makes it",
                where=path or type(model).__name__,
                limit="models in floating point, or of quantization-aware training, can be converted",
                remedy="give the model as it was before torch.ao.quantization.convert",
            )
