"""Activations, softmax, and what does nothing in evaluation mode."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from loihiconv.ann.frontends.registry import Call, Signal, on_function, on_module
from loihiconv.ann.frontends.remedies import Refused
from loihiconv.ann.graph import Node, Relu


@on_function(F.relu, F.relu_, torch.relu, torch.relu_, "relu", "relu_")
def relu(call: Call, input: Signal, inplace: bool = False) -> Node:
    return Relu(call.name, (input.name,))


@on_module(nn.ReLU)
def relu_module(call: Call, module: nn.ReLU, input: Signal) -> Node:
    return Relu(call.name, (input.name,))


@on_function(F.softmax, F.log_softmax, torch.softmax, torch.log_softmax, "softmax", "log_softmax")
def softmax(call: Call, input: Signal, dim: int | None = None, *ignored: Any, **also_ignored: Any) -> Node:
    over_classes = dim is None or dim % len(input.shape) == 1
    where = "anywhere but at the very end, over the classes," if over_classes else f"over axis {dim}"
    error = call.refuse(f"{where} has no spiking counterpart", "remove it; at the end of a network it does not change the class")
    return Refused(call.name, (input.name,), error, fine_at_end=over_classes)


@on_module(nn.Softmax, nn.LogSoftmax)
def softmax_module(call: Call, module: nn.Softmax, input: Signal) -> Node:
    return softmax(call, input, module.dim)


@on_function(F.dropout, F.dropout2d, F.alpha_dropout, F.feature_alpha_dropout, torch.dropout)
def dropout(call: Call, input: Signal, p: float = 0.5, training: bool = False, inplace: bool = False) -> Signal:
    if training and p > 0:
        raise call.refuse("is random during evaluation too", "call it with training=self.training")
    return input


@on_module(nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
def nothing(call: Call, module: nn.Module, input: Signal) -> Signal:
    return input


@on_function("contiguous", "clone", "detach", "float", torch.clone, torch.detach)
def unchanged(call: Call, input: Signal, **options: Any) -> Signal:
    return input
