"""What may stand at the very end of a network, where the largest output stays the largest, and what does nothing in evaluation mode."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from loihiconv.ann.frontends.registry import Call, Result, Signal, on_function, on_module
from loihiconv.ann.frontends.remedies import Refused, remedy


@on_function(F.softmax, F.log_softmax, torch.softmax, torch.log_softmax, "softmax", "log_softmax")
def softmax(call: Call, input: Signal, dim: int | None = None, *ignored: Any, **also_ignored: Any) -> Result:
    over_classes = dim is None or dim % len(input.shape) == 1
    where = "anywhere but at the very end, over the classes," if over_classes else f"over axis {dim}"
    error = call.refuse(f"{where} has no spiking counterpart", "remove it; at the end of a network it does not change the class")
    return Refused(call.name, (input.name,), error, fine_at_end=over_classes)


@on_module(nn.Softmax, nn.LogSoftmax)
def softmax_module(call: Call, module: nn.Softmax, input: Signal) -> Result:
    return softmax(call, input, module.dim)


@on_function(F.sigmoid, F.logsigmoid, F.tanh, torch.sigmoid, torch.sigmoid_, torch.tanh, torch.tanh_)
@on_function("sigmoid", "sigmoid_", "tanh", "tanh_")
def squashing(call: Call, input: Signal) -> Result:
    error = call.refuse("anywhere but at the very end has no spiking counterpart", remedy(call.operation))
    return Refused(call.name, (input.name,), error, fine_at_end=True)


@on_module(nn.Sigmoid, nn.LogSigmoid, nn.Tanh)
def squashing_module(call: Call, module: nn.Module, input: Signal) -> Result:
    return squashing(call, input)


@on_function(torch.argmax, "argmax")
def argmax(call: Call, input: Signal, dim: int | None = None, keepdim: bool = False) -> Result:
    raise call.refuse("gives classes in place of outputs", "return what it takes; the largest output is the class here, too")


@on_function(F.dropout, F.dropout2d, F.alpha_dropout, F.feature_alpha_dropout, torch.dropout)
def dropout(call: Call, input: Signal, p: float = 0.5, training: bool = False, inplace: bool = False) -> Result:
    if training and p > 0:
        raise call.refuse("is random during evaluation too", "call it with training=self.training")
    return input


@on_module(nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
def nothing(call: Call, module: nn.Module, input: Signal) -> Result:
    return input


@on_function("contiguous", "clone", "detach", "float", torch.clone, torch.detach)
def unchanged(call: Call, input: Signal, **options: Any) -> Result:
    return input
