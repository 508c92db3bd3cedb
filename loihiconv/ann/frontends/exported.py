"""Graphs that torch.export makes, carried out operation by operation under the names of the modules that they came from."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

from torch import fx
from torch._ops import OpOverload
from torch.fx.node import map_arg

from loihiconv.ann.frontends.scopes import Scope, last_of_layers

Within: TypeAlias = Callable[[str, bool], AbstractContextManager[None]]
"""Names what is recorded: the path of the module that it is done in, and whether that is all that the module does."""

_CHECKS = "_guards_fn"  # refuses sizes other than the exported ones, which is done with a message of ours


def is_exported(graph: fx.GraphModule) -> bool:
    """Whether a graph is made of ATen operators, instead of modules and functions as users call them."""
    return any(isinstance(node.target, OpOverload) for node in graph.graph.nodes)


def carry_out(module: fx.GraphModule, within: Within, *args: Any, **kwargs: Any) -> Any:
    """Carry out an exported graph on stand-ins for tensors."""
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
    return Scope(re.sub(r"@\d+", "", str(path)), str(kind if isinstance(kind, str) else kind.__qualname__).rpartition(".")[2])


def _attribute(module: Any, path: str) -> Any:
    for part in path.split("."):
        module = getattr(module, part)
    return module
