"""Which PyTorch operation is read by which handler.

A handler takes the `Call` it reads and the operation's own arguments, tensors among them as `Signal`, parameters as
``torch.Tensor``. It returns the `Node` that does the same, several of which the last one does, or the `Signal` it was given where
nothing is done. To support one more operation, write one more handler in `loihiconv.ann.frontends.layers`.

A node's result has a shape as `loihiconv.ann.graph.arranged` gives it, whatever axes the tensor has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import nn

from loihiconv.ann.frontends.handlers import Handlers
from loihiconv.ann.graph import Node
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.linear import Array, Shape


@dataclass(frozen=True)
class Signal:
    """The result of a node.

    Parameters
    ----------
    name : str
        Name of the node.
    shape : tuple of int
        Shape with the batch axis.
    """

    name: str
    shape: Shape


@dataclass(frozen=True)
class Call:
    """One operation of the user's model.

    Parameters
    ----------
    name : str
        Name for the node: the module's path, or the function's name after the path of the module it is called in.
    operation : str
        What the user calls it, such as "Conv2d" or "relu".
    shape : tuple of int
        Shape of the result, with the batch axis; empty where there are several results.
    fresh : callable (str) -> str
        A name for one more node, unlike all others.
    repeat : callable ({signal: tensor}) -> result
        Carry out the operation once more, on other tensors in place of the signals.
    nodes : {name: Node}
        Those that were made before, in order.
    given : tuple
        What it took on the example, by place: tensors, or what a library of quantization makes of them.
    """

    name: str
    operation: str
    shape: Shape
    fresh: Callable[[str], str]
    repeat: Callable[[Mapping[Signal, torch.Tensor]], Any]
    nodes: dict[str, Node]
    given: tuple[Any, ...] = ()

    def refuse(self, why: str, remedy: str = "") -> UnsupportedLayer:
        """The error for an operation, or a use of one, that cannot be converted."""
        return UnsupportedLayer(f"{self.operation} {why}", where=self.name, remedy=remedy)

    def array(self, tensor: Any, parameter: str) -> Array:
        """A parameter as a numpy array of float32 or float64.

        Raises
        ------
        InvalidModel
            If a value is NaN or infinite.
        UnsupportedLayer
            If it is no constant.
        """
        if not isinstance(tensor, torch.Tensor):
            raise self.refuse(f"takes its {parameter} from the network's input", "use a layer with constant weights")
        tensor = tensor.detach().cpu()
        values = np.array(tensor.numpy() if tensor.dtype in (torch.float32, torch.float64) else tensor.float().numpy())
        if bad := int(np.count_nonzero(~np.isfinite(values))):
            raise InvalidModel(
                f"{bad} of {values.size} values of {parameter} are NaN or infinite",
                where=self.name,
                remedy="check that training converged and that the right file was loaded",
            )
        return values


def signals_in(values: Any) -> list[Signal]:
    """All results of nodes among a handler's arguments, in tuples and lists too, in order."""
    if isinstance(values, Signal):
        return [values]
    return [signal for value in values for signal in signals_in(value)] if isinstance(values, (tuple, list)) else []


Result: TypeAlias = "Node | Signal | Sequence[Node]"
Handler: TypeAlias = Callable[..., "Result | tuple[Result, ...]"]

_MODULES: Handlers[type[nn.Module]] = Handlers()
_FUNCTIONS: Handlers[Callable[..., Any] | str] = Handlers()
_NAMED: Handlers[str] = Handlers()

on_module = _MODULES.on
"""Register a handler ``(call, module, x)`` for layers of these types."""
on_module_named = _NAMED.on
"""Register a handler for layers of another package, by their types' qualified names, so that it need not be installed."""
on_function = _FUNCTIONS.on
"""Register a handler ``(call, *arguments)``, named as theirs, for functions, and for methods of tensors by their names."""


def module_handler(module: nn.Module) -> Handler | None:
    """The handler for a layer; subclasses are theirs as long as they compute the same."""
    if named := _NAMED.of(f"{type(module).__module__}.{type(module).__qualname__}"):
        return named
    for kind in type(module).__mro__:
        if issubclass(kind, nn.Module) and (handler := _MODULES.of(kind)) is not None:
            return handler if type(module).forward is kind.forward else None
    return None


def function_handler(target: Any) -> Handler | None:
    """The handler for a function or for a method's name."""
    return _FUNCTIONS.of(target)
