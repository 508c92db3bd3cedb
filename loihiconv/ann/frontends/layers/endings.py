"""What may stand at the very end of a network, where the host computes it, and what does nothing in evaluation mode."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from loihiconv.ann.frontends.registry import Call, Result, Signal, on_function, on_module
from loihiconv.ann.frontends.remedies import Refused, remedy
from loihiconv.core.ending import Argmax, Curve, LastFunction, Pointwise, Rescale, Softmax


@on_function(F.softmax, torch.softmax, "softmax")
def softmax(call: Call, input: Signal, dim: int | None = None, *ignored: Any, **also_ignored: Any) -> Result:
    return _normalized(call, input, dim, log=False)


@on_function(F.log_softmax, torch.log_softmax, "log_softmax")
def log_softmax(call: Call, input: Signal, dim: int | None = None, *ignored: Any, **also_ignored: Any) -> Result:
    return _normalized(call, input, dim, log=True)


@on_module(nn.Softmax, nn.LogSoftmax)
def softmax_module(call: Call, module: nn.Softmax, input: Signal) -> Result:
    return _normalized(call, input, module.dim, log=isinstance(module, nn.LogSoftmax))


@on_module(nn.Softmax2d)
def softmax_of_pixels(call: Call, module: nn.Softmax2d, input: Signal) -> Result:
    return _normalized(call, input, -3, log=False)


def _normalized(call: Call, input: Signal, dim: int | None, *, log: bool) -> Result:
    rank = len(input.shape)
    over = (0 if rank == 3 else 1) if dim is None else dim % rank  # as torch chooses where it is not told
    if over == 0:
        return Refused(call.name, (input.name,), call.refuse("over the samples of a batch mixes them", "give dim=1, the classes"))
    error = call.refuse("anywhere but at the very end has no spiking counterpart", "move it to the end, where the host computes it")
    return _hosted(call, input, error, Softmax(over - 1, log))


_CURVES: dict[Any, Curve] = {
    **dict.fromkeys((F.sigmoid, torch.sigmoid, torch.sigmoid_, "sigmoid", "sigmoid_", nn.Sigmoid), "sigmoid"),
    **dict.fromkeys((F.logsigmoid, nn.LogSigmoid), "logsigmoid"),
    **dict.fromkeys((F.tanh, torch.tanh, torch.tanh_, "tanh", "tanh_", nn.Tanh), "tanh"),
    **dict.fromkeys((F.softsign, nn.Softsign), "softsign"),
    **dict.fromkeys((torch.exp, torch.exp_, "exp", "exp_"), "exp"),
    **dict.fromkeys((F.silu, nn.SiLU), "silu"),
}


def _curve(kind: Curve) -> Any:
    """The handler for functions and layers that compute a curve."""

    def function(call: Call, input: Signal, inplace: bool = False) -> Result:
        error = call.refuse("anywhere but at the very end has no spiking counterpart", remedy(call.operation))
        return _hosted(call, input, error, Pointwise(kind))

    return function


def _layer(kind: Curve) -> Any:
    def layer(call: Call, module: nn.Module, input: Signal) -> Result:
        result: Result = _curve(kind)(call, input)
        return result

    return layer


for _target, _kind in _CURVES.items():
    (on_module(_target)(_layer(_kind)) if isinstance(_target, type) else on_function(_target)(_curve(_kind)))


@on_function(F.softplus)
def softplus(call: Call, input: Signal, beta: float = 1, threshold: float = 20) -> Result:
    error = call.refuse("anywhere but at the very end has no spiking counterpart", remedy(call.operation))
    none = np.zeros(())
    scaled = (Rescale(np.array(float(beta)), none), Pointwise("softplus"), Rescale(np.array(1 / beta), none))
    return _hosted(call, input, error, *(scaled if beta != 1 else scaled[1:2]))


@on_module(nn.Softplus)
def softplus_module(call: Call, module: nn.Softplus, input: Signal) -> Result:
    return softplus(call, input, module.beta, module.threshold)


@on_function(torch.argmax, "argmax")
def argmax(call: Call, input: Signal, dim: int | None = None, keepdim: bool = False) -> Result:
    if dim is None or dim % len(input.shape) == 0:
        raise call.refuse("over the samples of a batch mixes them", "give dim=1, the classes")
    error = call.refuse("gives classes in place of outputs", "move it to the end, where the host computes it")
    return _hosted(call, input, error, Argmax(dim % len(input.shape) - 1, keepdim))


def _hosted(call: Call, input: Signal, error: Exception, *functions: LastFunction) -> Result:
    """What is refused but at the end, where the host computes it."""
    return Refused(call.name, (input.name,), error, functions, input.shape[1:])  # type: ignore[arg-type]


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
