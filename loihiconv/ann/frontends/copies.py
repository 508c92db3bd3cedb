"""Copies of PyTorch models to read and to evaluate, so that the user's own is never run, moved or changed.

What only wraps a model (`torch.compile`, parallel training, averaged weights) is left out of the copy, so that layers have the names that
they have inside. Tensors that are results of other tensors, as the weights of pruned layers are, cannot be copied by `copy.deepcopy`;
their values are.
"""

from __future__ import annotations

import copy
import itertools
import types
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import fx, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize
from torch.nn.utils.prune import BasePruningMethod
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from loihiconv.ann.frontends.exported import model_name
from loihiconv.core.errors import InvalidModel

_INSIDE = {
    "torch._dynamo.eval_frame.OptimizedModule": "_orig_mod",
    "torch.nn.parallel.data_parallel.DataParallel": "module",
    "torch.nn.parallel.distributed.DistributedDataParallel": "module",
    "torch.optim.swa_utils.AveragedModel": "module",
}
_INSTEAD = {"torch.export.unflatten.UnflattenedModule": "give the exported program that it was made of"}
HALF = (torch.float16, torch.bfloat16)


def inside(module: nn.Module) -> nn.Module:
    """What a wrapper wraps, however often; the module itself where it is none."""
    while (attribute := _INSIDE.get(_qualified_name(type(module)))) is not None:
        module = getattr(module, attribute)
    return module


def own_names(module: nn.Module) -> dict[str, str]:
    """For each name that a weight has without wrappers, its name in the module's state dict."""
    wrapped = [(f"{path}.".lstrip("."), kind) for path, part in module.named_modules() if (kind := _qualified_name(type(part))) in _INSIDE]
    begins = sorted(((before, f"{_INSIDE[kind]}.") for before, kind in wrapped), key=lambda begin: -len(begin[0]))
    names = {}
    for key in module.state_dict():
        name = key
        for before, attribute in begins:  # the innermost first, so that what comes before it stays as it is
            if name.startswith(before + attribute):
                name = before + name[len(before + attribute) :]
        names[name] = key
    return names


def name_of(module: nn.Module) -> str:
    """What a user calls the model: its class, also where a graph has taken its place."""
    if isinstance(module, fx.GraphModule):
        return model_name(module)
    return str(module.original_name) if isinstance(module, torch.jit.ScriptModule) else type(module).__name__


def copied(module: nn.Module) -> nn.Module:
    """A copy without wrappers, as it is otherwise.

    Raises
    ------
    InvalidModel
        If an attribute cannot be copied, or a weight has no values yet.
    """
    _check_values(module)
    try:
        try:
            clone = _deep_copy(module, shared=[])
        except Exception:  # a hook may belong to a trainer, which cannot be copied and need not be
            clone = _deep_copy(module, shared=[hook for part in module.modules() for hook in _hooks(part)])
    except Exception as error:
        advice = "do not keep open files, locks or generators as attributes of the model"
        remedy = _INSTEAD.get(_qualified_name(type(module)), advice)
        raise InvalidModel(f"the model cannot be copied: {error}", where=name_of(inside(module)), remedy=remedy) from error
    for part in clone.modules():
        _call_plainly(part)
    return clone


def _check_values(module: nn.Module) -> None:
    """Refuse lazy layers that no sample has gone through, whose weights each copy would draw anew, and weights on the device `meta`."""
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if is_lazy(tensor):
            remedy = "run the model once on a sample, then load its weights"
        elif tensor.is_meta:
            remedy = "model.to_empty(device='cpu'), then load its weights"
        else:
            continue
        raise InvalidModel("has a weight without values", where=name, remedy=remedy)


def _deep_copy(module: nn.Module, shared: list[Any]) -> nn.Module:
    memo: dict[int, Any] = {id(hook): hook for hook in shared}
    for part in module.modules():
        for tensor in _results(part):
            memo[id(tensor)] = tensor.detach().clone()
        compressed = [buffer for buffer in part._buffers.values() if buffer is not None and buffer.layout is torch.sparse_csr]
        memo |= {id(buffer): buffer.clone() for buffer in compressed}
    with torch.no_grad():  # else copies of scripted parameters remember what they are copies of
        for part in reversed(list(module.modules())):  # from the inside
            if (content := inside(part)) is not part:
                memo[id(part)] = copy.deepcopy(content, memo)
        clone: nn.Module = copy.deepcopy(module, memo)
    return clone


def to_evaluate(module: nn.Module) -> nn.Module:
    """A copy on the CPU in float32 and in evaluation mode, with its hooks."""
    return copied(module).cpu().float().eval()


def to_read(module: nn.Module) -> nn.Module:
    """A copy on the CPU in float32 or float64 and in evaluation mode, with the weights in effect."""
    clone = copied(module).cpu()
    # Half precision has no CPU kernels for some layers in older releases of PyTorch.
    if any(tensor.dtype in HALF for tensor in tensors(clone)):
        clone = clone.float()
    return in_effect(clone.eval())


def in_effect(module: nn.Module) -> nn.Module:
    """Turn pruned, normalized and parametrized weights into plain ones, in place; returns the module."""
    for part in list(module.modules()):
        if isinstance(part, torch.jit.ScriptModule):
            continue
        for key, hook in list(part._forward_pre_hooks.items()):
            if isinstance(hook, (BasePruningMethod, SpectralNorm, WeightNorm)):
                hook.remove(part)
                del part._forward_pre_hooks[key]
        if parametrize.is_parametrized(part):
            _settle(part)
    return module


def _settle(part: nn.Module) -> None:
    """Give a parametrized layer its weights and its own class back.

    `parametrize.remove_parametrizations` changes the class that a copy shares with the user's layer.
    """
    parametrizations = part.parametrizations
    assert isinstance(parametrizations, nn.ModuleDict)  # established by `is_parametrized`
    values = {name: getattr(part, name).detach().clone() for name in parametrizations}
    own = parametrize.type_before_parametrizations(part)
    del part._modules["parametrizations"]
    part.__class__ = own
    for name, value in values.items():
        part.register_parameter(name, nn.Parameter(value, requires_grad=False))


def tensors(module: nn.Module) -> Iterator[torch.Tensor]:
    """Parameters and buffers."""
    return itertools.chain(module.parameters(), module.buffers())


def floating_dtype(module: nn.Module) -> torch.dtype:
    """The precision that a model computes in: that of its first floating-point tensor, in a frozen program one of its constants."""
    found = itertools.chain(tensors(module), *(_constants(part) for part in module.modules() if isinstance(part, torch.jit.ScriptModule)))
    return next((tensor.dtype for tensor in found if tensor.is_floating_point()), torch.float32)


def _constants(program: torch.jit.ScriptModule) -> Iterator[torch.Tensor]:
    for node in program.inlined_graph.nodes() if hasattr(program, "forward") else ():
        if node.kind() == "prim::Constant" and isinstance(value := node.output().toIValue(), torch.Tensor):
            yield value


def _results(part: nn.Module) -> Iterator[torch.Tensor]:
    """Tensors among a module's attributes, and those of its hooks' owners, that were computed with gradients."""
    for owner in (part, *(hook.__self__ for hook in _hooks(part) if isinstance(hook, types.MethodType))):
        yield from (tensor for tensor in _held(vars(owner) if hasattr(owner, "__dict__") else ()) if not tensor.is_leaf)


def _hooks(part: nn.Module) -> tuple[Callable[..., Any], ...]:
    if isinstance(part, torch.jit.ScriptModule):
        return ()
    return (*part._forward_hooks.values(), *part._forward_pre_hooks.values())


def _held(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif type(value) in (dict, list, tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _held(part)


def _call_plainly(part: nn.Module) -> None:
    """Undo what compiles a forward of its own, keeps a module from evaluation mode, or goes on learning in it."""
    watching = dict(part.named_buffers(recurse=False)).get("observer_enabled")
    if watching is not None:  # a quantizer of torch.ao, whose scale would follow each batch
        watching.zero_()
    attributes = vars(part)
    original = getattr(attributes.get("forward"), "_torchdynamo_orig_callable", None)
    if isinstance(original, types.MethodType):  # module.forward = torch.compile(module.forward)
        part.forward = types.MethodType(original.__func__, part)
    if isinstance(part, fx.GraphModule):  # exported ones refuse to be asked: their mode is part of the graph
        for name in ("train", "eval"):
            attributes.pop(name, None)


def _qualified_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
