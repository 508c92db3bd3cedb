"""TorchScript carried out operation by operation, on stand-ins for tensors, under the names of the modules that it came from.

A scripted or traced model keeps no Python, only a graph. Everything in it that is no tensor (sizes, flags, lists) is computed here, so that
conditions and loops on such take their way; those on values of tensors are refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch

from loihiconv.ann.frontends import aten
from loihiconv.ann.frontends.copies import HALF, name_of
from loihiconv.ann.frontends.exported import Within
from loihiconv.ann.frontends.scopes import Scope, last_of_layers
from loihiconv.ann.frontends.torchscript_numbers import PRIMITIVES, number_function
from loihiconv.core.errors import UnsupportedLayer

_DTYPES = {
    0: torch.uint8,
    1: torch.int8,
    2: torch.int16,
    3: torch.int32,
    4: torch.int64,
    11: torch.bool,
    5: torch.float16,
    6: torch.float32,
    7: torch.float64,
    15: torch.bfloat16,
}
"""Numbers of types (c10/core/ScalarType.h): graphs name them so."""


def required_inputs(module: torch.jit.ScriptModule) -> list[str]:
    """Names of the arguments that a forward cannot do without."""
    arguments = module._c._get_method("forward").schema.arguments[1:]  # the first one is the module
    return [argument.name for argument in arguments if not argument.has_default_value()]


def carry_out(module: torch.jit.ScriptModule, within: Within, *args: Any) -> Any:
    """Carry out a graph on stand-ins for tensors.

    Raises
    ------
    UnsupportedLayer
        If it branches or loops on values of tensors, or has an operation that means nothing here.
    """
    arguments = module._c._get_method("forward").schema.arguments[1 + len(args) :]
    graph = module.inlined_graph
    values = (module, *args, *(argument.default_value for argument in arguments))
    frame = _Frame(module, within, dict(zip((value.unique() for value in graph.inputs()), values, strict=True)))
    frame.run(list(graph.nodes()))
    results = tuple(frame.results[value.unique()] for value in graph.outputs())
    return results[0] if len(results) == 1 else results


class _Frame:
    """Results so far, by the graph's number of a value."""

    def __init__(self, module: torch.jit.ScriptModule, within: Within, results: dict[int, Any]) -> None:
        self._within, self.results = within, results
        self._paths = {id(part): path for path, part in module.named_modules()}
        self._lists = [path for path, part in module.named_modules() if name_of(part) in ("ModuleList", "ModuleDict")]
        self._fetched: dict[str, str] = {}  # path of a layer by how its operations are marked, without the lists that it is in

    def run(self, nodes: Sequence[Any]) -> None:
        """Carry out the nodes of a block."""
        operations = [node for node in nodes if node.kind().startswith("aten::")]
        last = {id(node): ends for node, ends in zip(operations, last_of_layers([_scope(node) for node in operations]), strict=True)}
        for node in nodes:
            inputs = [self.results[value.unique()] for value in node.inputs()]
            if node.kind() == "prim::If":
                self._keep(node, self._block(list(node.blocks())[0 if _decided(node, inputs[0]) else 1]))
            elif node.kind() == "prim::Loop":
                self._keep(node, self._loop(node, *inputs))
            else:
                marked = _scope(node).path
                with self._within(self._fetched.get(marked, marked), last.get(id(node), False)):
                    self._keep(node, self._result(node, inputs))

    def _result(self, node: Any, inputs: list[Any]) -> Any:
        kind = node.kind()
        if kind == "prim::Constant":
            value = node.output().toIValue()
            return value.float() if isinstance(value, torch.Tensor) and value.dtype in HALF else value
        if kind == "prim::GetAttr":
            return self._fetch(inputs[0], node.s("name"))
        if kind in PRIMITIVES:
            return PRIMITIVES[kind](*inputs)
        if kind.startswith("aten::") and "(no schema)" not in node.schema():
            return _operation(node, inputs)
        raise _refused(
            node, f"{kind} in TorchScript cannot be read", "give the model that it was made from, or export it with torch.export"
        )

    def _fetch(self, owner: Any, name: str) -> Any:
        value = getattr(owner, name)
        if (path := self._paths.get(id(value))) is not None and path not in self._lists:
            parts = path.split(".")
            marked = [part for i, part in enumerate(parts) if ".".join(parts[: i + 1]) not in self._lists]
            self._fetched[".".join(marked)] = path
        return value

    def _block(self, block: Any) -> Any:
        self.run(list(block.nodes()))
        results = tuple(self.results[value.unique()] for value in block.outputs())
        return results[0] if len(results) == 1 else results

    def _loop(self, node: Any, most: Any, goes_on: Any, *carried: Any) -> Any:
        block = next(node.blocks())
        counter, *places = (value.unique() for value in block.inputs())
        turn = 0
        while turn < _decided(node, most) and _decided(node, goes_on):
            self.results.update({counter: turn, **dict(zip(places, carried, strict=True))})
            self.run(list(block.nodes()))
            goes_on, *carried = (self.results[value.unique()] for value in block.outputs())  # type: ignore[assignment]
            turn += 1
        return carried[0] if len(carried) == 1 else tuple(carried)

    def _keep(self, node: Any, result: Any) -> None:
        outputs = [value.unique() for value in node.outputs()]
        if len(outputs) == 1:
            self.results[outputs[0]] = result
        elif outputs:
            self.results.update(zip(outputs, result, strict=True))


def _operation(node: Any, inputs: list[Any]) -> Any:
    """An ATen operator: on tensors the function that users call, on anything else the one of Python."""
    name = node.kind().removeprefix("aten::")
    if (function := number_function(name, inputs)) is not None:
        return function(*inputs)
    schema = torch._C.parse_schema(node.schema())
    given = {}
    for argument, value in aten.bound(schema, inputs, {}):
        is_type = argument.name == "dtype" and isinstance(value, int)
        given[argument.name] = _DTYPES.get(value, torch.float32) if is_type else value
    known = aten.function_of(name)
    function = getattr(torch.ops.aten, name) if known is None else known
    return aten.carry_out(function, schema, **given)


def _decided(node: Any, value: Any) -> Any:
    """A condition or a number of turns that is known; refuses those that depend on values of tensors."""
    if isinstance(value, (bool, int)):
        return value
    if isinstance(value, torch.Tensor) and value.numel() == 1 and type(value) is torch.Tensor:
        return value.item()
    what = "a branch" if node.kind() == "prim::If" else "a loop"
    raise _refused(
        node,
        f"{node.kind()}: TorchScript with {what} on values of a tensor, so that there is no one network to convert",
        "write forward() without conditions or loops on values; conditions on shapes are fine",
    )


def _refused(node: Any, what: str, remedy: str) -> UnsupportedLayer:
    return UnsupportedLayer(what, where=_scope(node).path or "forward()", remedy=remedy)


def _scope(node: Any) -> Scope:
    """From "b(Sequential).0(Block).conv(Conv2d).SELF(Conv2d)": path b.0.conv, class Conv2d."""
    parts = re.findall(r"([^.()]+)\(([^()]*)\)", node.getModuleHierarchy())
    scope = Scope("", "")
    for name, kind in parts:
        repeated = scope.is_layer and scope.kind == kind  # a layer's call of what it inherits
        if name not in ("SELF", "UNKNOWN_INSTANCE") and not repeated:
            scope = Scope(f"{scope.path}.{name}".strip("."), kind)
    return scope
