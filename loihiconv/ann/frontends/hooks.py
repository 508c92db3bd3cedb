"""Hooks of modules: what only watches gets tensors, what changes something is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.fx.node import map_aggregate

Watching = Callable[[Callable[[], Any]], Any]


def carry_out(
    module: nn.Module, forward: Callable[..., Any], tensor: Callable[[Any], Any], watching: Watching, *args: Any, **kwargs: Any
) -> Any:
    """Carry out a module's forward and its hooks on stand-ins for tensors.

    A hook gets tensors first, so that it may print or count them, or compute weights from others. Only where it returns something is
    it called again with the stand-ins, so that what it does is recorded.

    Parameters
    ----------
    module : nn.Module
    forward : callable
        What is recorded between its hooks.
    tensor : callable
        The tensor that a stand-in stands for; anything else as it is.
    watching : callable
        Calls a function so that nothing of it is recorded.
    """

    def called(hook: Callable[..., Any], *given: Any) -> Any:
        seen = tuple(map_aggregate(part, tensor) for part in given)
        return None if watching(lambda: hook(module, *seen)) is None else hook(module, *given)

    for key, hook in list(module._forward_pre_hooks.items()):
        if key in module._forward_pre_hooks_with_kwargs:
            if (changed := called(hook, args, kwargs)) is not None:
                args, kwargs = changed
        elif (changed := called(hook, args)) is not None:
            args = changed if isinstance(changed, tuple) else (changed,)
    result = forward(*args, **kwargs)
    for key, hook in list(module._forward_hooks.items()):
        given = (args, kwargs, result) if key in module._forward_hooks_with_kwargs else (args, result)
        if (changed := called(hook, *given)) is not None:
            result = changed
    return result


def has_hooks(module: nn.Module) -> bool:
    """Whether a module has hooks around its forward."""
    return not isinstance(module, torch.jit.ScriptModule) and bool(module._forward_pre_hooks or module._forward_hooks)
