"""Graphs that torch.export makes, carried out operation by operation under the names of the modules that they came from."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import torch
from torch import fx, nn
from torch._ops import OpOverload
from torch.fx.node import map_arg

from loihiconv.ann.frontends.scopes import Scope, last_of_layers
from loihiconv.core.errors import UnsupportedLayer

Within: TypeAlias = Callable[[str, bool], AbstractContextManager[None]]
"""Names what is recorded: the path of the module that it is done in, and whether that is all that the module does."""

_CHECKS = "_guards_fn"  # refuses sizes other than the exported ones, which is done with a message of ours


def is_exported(graph: fx.GraphModule) -> bool:
    """Whether a graph is made of ATen operators, instead of modules and functions as users call them."""
    return any(isinstance(node.target, OpOverload) for node in graph.graph.nodes)


def example_shape(module: nn.Module) -> tuple[int | None, ...] | None:
    """Shape of the input that a graph was exported with, samples first, None for an axis that is left open; None for other models."""
    if not isinstance(module, fx.GraphModule) or not is_exported(module):
        return None
    inputs = (node.meta.get("val") for node in module.graph.nodes if node.op == "placeholder")
    first = next(inputs, None)
    if not isinstance(first, torch.Tensor):
        return None
    return tuple(size if isinstance(size, int) else None for size in first.shape)


def model_name(module: fx.GraphModule) -> str:
    """The class of the model that a graph was made from."""
    if not is_exported(module):
        return type(module).__name__
    stacks = (node.meta.get("nn_module_stack") for node in module.graph.nodes)
    roots = [next(iter(stack.values())) for stack in stacks if stack]
    return _class_name(roots[0][1]) if roots else type(module).__name__


def carry_out(module: fx.GraphModule, within: Within, *args: Any, **kwargs: Any) -> Any:
    """Carry out an exported graph on stand-ins for tensors.

    Raises
    ------
    UnsupportedLayer
        If it holds a `torch.vmap`. To begin with it and fail before its end would leave PyTorch within vmap, for the whole process.
    """
    if any(str(getattr(node.target, "__module__", "")).startswith("torch._functorch") for node in module.graph.nodes):
        raise UnsupportedLayer("uses torch.vmap", remedy="give program.run_decompositions(), which has plain operations in its place")
    inputs = iter(module.graph.process_inputs(*args, **kwargs))
    operations = [node for node in module.graph.nodes if isinstance(node.target, OpOverload)]
    last = dict(zip(operations, last_of_layers([_scope(node) for node in operations]), strict=True))
    results: dict[fx.Node, Any] = {}
    for node in module.graph.nodes:
        given, named = map_arg((node.args, node.kwargs), results.__getitem__)
        if node.op == "placeholder":
            results[node] = next(inputs, *node.args[:1])
        elif node.op == "get_attr":
            results[node] = _attribute(module, str(node.target))
        elif node.op == "call_module":
            results[node] = None if node.target == _CHECKS else module.get_submodule(str(node.target))(*given, **named)
        elif node.op == "output":
            return module.graph.process_outputs(given[0])
        else:
            with within(_scope(node).path, last.get(node, False)):
                function: Any = node.target if node.op == "call_function" else getattr(given[0], str(node.target))
                results[node] = function(*(given if node.op == "call_function" else given[1:]), **named)
    raise AssertionError  # a graph has an output


def _scope(node: fx.Node) -> Scope:
    """The module that an operation came from: the last entry of its stack, (path, class). A path may count the calls: act@1."""
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    if not stack:
        return Scope("", "")
    path, kind = stack[-1][:2]
    return Scope(re.sub(r"@\d+", "", str(path)), _class_name(kind))


def _class_name(kind: type | str) -> str:
    """Of a class, or of its qualified name."""
    return (kind if isinstance(kind, str) else kind.__qualname__).rpartition(".")[2]


def _attribute(module: Any, path: str) -> Any:
    for part in path.split("."):
        module = getattr(module, part)
    return module
