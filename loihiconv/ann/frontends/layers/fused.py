"""What modules do one after the other that are several operations in one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from torch import nn

from loihiconv.ann.frontends.layers.weights import conv3d_module, conv_module, conv_transpose_module, linear_module
from loihiconv.ann.frontends.registry import Call, Result, Signal
from loihiconv.ann.graph import Linear, Node
from loihiconv.core.linear import Shape


class Step(NamedTuple):
    """One of several operations: what it is called, its handler without further arguments, and the shape of its result."""

    name: str
    handler: Callable[[Call, Signal], Result]
    shape: Shape


def in_turn(call: Call, input: Signal, steps: Sequence[Step]) -> Result:
    """The nodes of all steps; the last one has the layer's name, and synapses are known by it."""
    nodes: list[Node] = []
    for step in steps:
        own = replace(call, name=call.fresh(f"{call.name}.{step.name}"), shape=step.shape)
        result = step.handler(own, input)
        if not isinstance(result, Signal):
            nodes += nodes_of(result)
            input = Signal(nodes[-1].name, step.shape)
    if not nodes:
        return input
    *before, last = (replace(node, layer=call.name) if isinstance(node, Linear) else node for node in nodes)
    return (*before, replace(last, name=call.name))


def nodes_of(result: Result) -> tuple[Node, ...]:
    """The nodes that a handler returned."""
    if isinstance(result, Signal):
        return ()
    return (result,) if isinstance(result, Node) else tuple(result)


class _Weighted:
    """A layer with other weights than its own."""

    def __init__(self, module: nn.Module, weight: Any, bias: Any) -> None:
        self._module, self.weight, self.bias = module, weight, bias

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


_LAYERS: dict[type[nn.Module], Callable[..., Any]] = {
    nn.Linear: linear_module,
    **dict.fromkeys((nn.Conv1d, nn.Conv2d), conv_module),
    nn.Conv3d: conv3d_module,
    **dict.fromkeys((nn.ConvTranspose1d, nn.ConvTranspose2d), conv_transpose_module),
}


def with_weights(call: Call, module: nn.Module, input: Signal, weight: Any, bias: Any) -> Result:
    """The nodes of a dense layer or a convolution that computes with these weights in place of its own."""
    handler = next((handler for kind, handler in _LAYERS.items() if isinstance(module, kind)), None)
    if handler is None:
        raise call.refuse("cannot be converted", "use dense layers and convolutions")
    weighted: Any = _Weighted(module, weight, bias)
    result: Result = handler(call, weighted, input)
    return result
