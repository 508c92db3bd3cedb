"""Read a PyTorch model: `read_torch` for the network, `problems` for everything that stands in the way."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from math import prod
from typing import Any

import torch
from torch import fx, nn
from torch.fx.node import map_arg

from loihiconv.ann.ending import after, host_function, said
from loihiconv.ann.frontends import layers as _layers  # noqa: F401  registers the handlers
from loihiconv.ann.frontends.copies import inside, name_of
from loihiconv.ann.frontends.curves import curves_at, with_remedy
from loihiconv.ann.frontends.joining import joined
from loihiconv.ann.frontends.layers.functions import Fragment, fragment_of
from loihiconv.ann.frontends.layers.stacks import Stack
from loihiconv.ann.frontends.layers.trials import by_trial
from loihiconv.ann.frontends.memory import REMEDY
from loihiconv.ann.frontends.quantized import plain
from loihiconv.ann.frontends.registry import Call, Signal, function_handler, module_handler, signals_in
from loihiconv.ann.frontends.remedies import Refused, with_way_out
from loihiconv.ann.frontends.results import Chosen
from loihiconv.ann.frontends.tracing import BATCH, Trace, carried_out, record
from loihiconv.ann.graph import Ann, Curve, Input, Node, arranged
from loihiconv.core.ending import LastFunction, Shaped
from loihiconv.core.ending import joined as joined_functions
from loihiconv.core.errors import InvalidModel, LoihiconvError, UnsupportedLayer
from loihiconv.core.linear import Shape
from loihiconv.core.parts import OutputPart, Part, described


def read_torch(model: nn.Module, example_shape: Shape) -> Ann:
    """The `Ann` that computes what ``model`` computes in evaluation mode.

    Dropout is left out, and a softmax or its like at the very end is the `Ann`'s ending; everything else must have a counterpart. The
    model is not changed.

    Parameters
    ----------
    model : nn.Module
        With a ``forward`` of one tensor, that gives one or several. It may branch on shapes, use modules several times, and call functions.
    example_shape : tuple of int
        Shape of one sample, without the batch axis: (C, H, W) or (features,).

    Raises
    ------
    UnsupportedLayer
        If an operation cannot be converted; the message is about the first one (`problems` returns them all).
    InvalidModel
        If the model fails on this shape or a parameter is NaN or infinite.
    """
    return read_with_output(model, example_shape)[0]


def read_with_output(
    model: nn.Module, example_shape: Shape, batch: int = BATCH, inputs: Sequence[Part] = (), *, curves: bool = False
) -> tuple[Ann, Chosen]:
    """As `read_torch`, and which parts of what the model returns are its outputs; it takes ``batch`` samples of several ``inputs``.

    With ``curves`` activations that are curved, such as SiLU, are read as a `Curve`; else they are refused.
    """
    trace = record(model, example_shape, is_leaf, batch, inputs)
    reader = _Reader(trace, name_of(inside(model)), curves=curves)
    if found := reader.problems():
        first, more = found[0], len(found) - 1
        if more:
            others = f"{more} more operation{'s' if more > 1 else ''} cannot be converted either; lc.check lists all of them"
            raise type(first)(
                first.what, where=first.where, limit=first.limit, remedy=f"{first.remedy}; {others}" if first.remedy else others
            )
        raise first
    return reader.ann(), trace.chosen


def problems(
    model: nn.Module, example_shape: Shape, batch: int = BATCH, inputs: Sequence[Part] = (), *, curves: bool = False
) -> tuple[LoihiconvError, ...]:
    """Everything that stands in the way of `read_with_output`, in the order of the network; empty if nothing does."""
    try:
        reader = _Reader(record(model, example_shape, is_leaf, batch, inputs), name_of(inside(model)), curves=curves)
        found = reader.problems()
        if not found:
            reader.ann()
    except LoihiconvError as error:
        return (error,)
    return found


def results(model: nn.Module, example_shape: Shape, batch: int = BATCH, inputs: Sequence[Part] = ()) -> dict[str, torch.Tensor]:
    """{node of `read_torch`: what its operation gives for the example}, the example's own inputs first."""
    return _Reader(record(model, example_shape, is_leaf, batch, inputs), name_of(inside(model))).results()


def is_leaf(module: nn.Module) -> bool:
    """Whether a module is one operation, that there is a handler for."""
    return module_handler(module) is not None


class _Reader:
    """Turns recorded operations into nodes, one after the other."""

    def __init__(self, trace: Trace, model_name: str, *, curves: bool = False) -> None:
        self._trace, self._model_name, self._curves = trace, model_name, curves
        self._nodes: list[Node] = []
        self._by_name: dict[str, Node] = {}
        self._names: set[str] = set()
        self._shapes: dict[str, Shape] = {}  # of results, as they are kept
        self._env: dict[fx.Node, Any] = {}  # Signal for what depends on the input, else the constant itself
        self._own: dict[fx.Node, Any] = {}  # the same, before anything changed it in place
        self._invalid: list[InvalidModel] = []
        for node in trace.nodes:
            if node.op == "output":
                self._outputs = self._network_outputs(node.args[0])
            else:
                self._env[node] = self._own[node] = self._read(node)
                self._take_over(node)
        if curves and self._curved:
            self._by_name |= self._curved
            self._nodes = [self._by_name[node.name] for node in self._nodes]

    def ann(self) -> Ann:
        """The network, once there are no problems."""
        nodes = [node for node in self._nodes if node.name in self._live or isinstance(node, Input)]
        entries = [node.name for node in nodes if isinstance(node, Input)]
        if len(nodes) == len(entries):
            raise InvalidModel("the model has no layers", where=self._model_name)
        last = {id(node): node for chain in self._last.values() for node in chain if isinstance(node, Refused)}
        notes = tuple(said(node.name) for node in last.values())
        if len(entries) > 1:
            notes = (*notes, *(f"input {name}: no output depends on it" for name in entries if name not in self._live))
        if len(self._outputs) == 1:
            return Ann(tuple(nodes), notes, self._ending(self._outputs[0]))
        parts = self._parts
        results = [Signal(self._end(output), output.shape) for output in self._outputs]
        nodes += joined(results, parts, self._unique)
        return Ann(tuple(nodes), (described(parts, "outputs"), *notes), parts=parts)

    def results(self) -> dict[str, torch.Tensor]:
        """What each node's operation gave on the example, but for what was changed in place afterwards."""
        memory = self._trace.memory
        changed = {id(self._trace.values[node]) for nodes in (*memory.overwritten.values(), memory.outdated) for node in nodes}
        found = ((signal, plain(self._trace.values[node])) for node, signal in self._env.items() if isinstance(signal, Signal))
        results: dict[str, torch.Tensor] = {}
        for signal, value in found:
            if isinstance(value, torch.Tensor) and id(value) not in changed:
                results.setdefault(signal.name, value)
        return results

    def problems(self) -> tuple[LoihiconvError, ...]:
        """Errors for everything that the result depends on."""
        live = [node for node in self._nodes if node.name in self._live]
        refused = {node.name: with_way_out(node, live) for node in live if isinstance(node, Refused)}
        if refused and not self._curves:
            curved, left = self._curved, self._reached(self._by_name | self._curved)
            refused = {
                name: with_remedy(error, curved[name], self._by_name[name]) if name in curved else error
                for name, error in refused.items()
                if name in left
            }
        return (*self._invalid, *refused.values())

    @cached_property
    def _curved(self) -> dict[str, Curve]:
        """Those of the operations which are refused that compute a curve, value by value."""
        refused = {name for name in self._live if isinstance(self._by_name[name], Refused)}
        return curves_at(self._trace, self._own, refused) if refused else {}

    @property
    def _parts(self) -> tuple[OutputPart, ...]:
        """Names, shapes and endings of several outputs."""
        names = self._trace.chosen.names
        apart = (name if names.count(name) == 1 else f"{name}_{i}" for i, name in enumerate(names))
        return tuple(self._part(name, output) for name, output in zip(apart, self._outputs, strict=True))

    def _part(self, name: str, output: Signal) -> OutputPart:
        if not self._last[output.name]:
            return OutputPart(name, output.shape[1:])
        shape = self._shapes[self._end(output)]
        return OutputPart(name, shape, ending=joined_functions((Shaped((prod(shape),)), *self._ending(output)), shape))

    @property
    def _live(self) -> set[str]:
        """Names of the nodes that the result depends on."""
        return self._reached(self._by_name)

    def _reached(self, by_name: Mapping[str, Node]) -> set[str]:
        """Names of the nodes that the result would depend on, were these the nodes."""
        live, waiting = set(), [self._end(output) for output in self._outputs]
        while waiting:
            name = waiting.pop()
            if name not in live:
                live.add(name)
                waiting.extend(by_name[name].inputs)
        return live

    def _end(self, output: Signal) -> str:
        """Name of the node that gives an output, but for what the host computes."""
        last = self._last[output.name]
        return last[0].inputs[0] if last else output.name

    def _ending(self, output: Signal) -> tuple[LastFunction, ...]:
        """What the host computes of an output, on flattened values."""
        final = output.shape[1:]
        return after([self._on_host(node) for node in self._last[output.name]], self._shapes.get(self._end(output), final), final)

    @cached_property
    def _last(self) -> dict[str, tuple[Node, ...]]:
        """What the host computes of each output."""
        return {output.name: self._last_functions(output.name) for output in self._outputs}

    def _last_functions(self, output: str) -> tuple[Node, ...]:
        """The first operation that no neuron can compute, and all after it; empty where one of them needs synapses."""
        chain: list[Node] = []
        node = self._by_name[output]
        while len(node.inputs) == 1 and node.inputs[0] in self._shapes and self._on_host(node)[1]:
            chain.insert(0, node)
            node = self._by_name[node.inputs[0]]
        first = next((i for i, node in enumerate(chain) if isinstance(node, Refused)), len(chain))
        return tuple(chain[first:])

    def _on_host(self, node: Node) -> tuple[Shape, tuple[LastFunction, ...]]:
        """The shape that a node takes, and what the host computes in its place; no functions where it cannot."""
        if isinstance(node, Refused):
            return node.given, node.on_host
        function = host_function(node)
        return self._shapes[node.inputs[0]], () if function is None else (function,)

    def _read(self, node: fx.Node) -> Any:
        value = plain(self._trace.values[node])
        if node.op == "placeholder":
            given = tuple(value.shape[1:])
            shape = arranged(given)
            return self._append(Input(self._unique(str(node.target)), shape=shape, sample_shape=given if given != shape else ()), value)
        inputs = tuple(signal for n in node.all_input_nodes for signal in signals_in(self._env[n]))
        if not inputs or node not in self._trace.dependent:
            return value
        if node.target is operator.getitem and isinstance(several := self._env[node.all_input_nodes[0]], (tuple, list, dict)):
            return several[node.args[1]]  # type: ignore[index]  # what indexed the example
        if node.target is getattr and isinstance(several := self._env[node.all_input_nodes[0]], tuple):  # as in x.max(1).values
            return several[[part is value for part in self._trace.values[node.all_input_nodes[0]]].index(True)]
        if node.target is operator.getitem and not isinstance(plain(self._trace.values[node.all_input_nodes[0]]), torch.Tensor):
            return Signal(inputs[0].name, _shape(value))  # one of several results of something refused: one message is enough
        name, operation = self._describe(node)
        given = tuple(map_arg(node.args, lambda n: self._trace.values[n]))
        call = Call(self._unique(name), operation, _shape(value), self._unique, partial(self._repeat, node), self._by_name, given)
        try:
            result = self._handle(call, node)
        except UnsupportedLayer as error:
            result = Refused(call.name, tuple(name for signal in inputs for name in self._taken(signal)), error)
        except InvalidModel as error:
            self._invalid.append(error)
            result = inputs[0]
        if isinstance(value, (tuple, list)) and isinstance(result, tuple) and len(result) == len(value):
            self._names.discard(call.name)
            return tuple(self._take(part, of) for part, of in zip(result, value, strict=True))
        if isinstance(result, Signal):
            self._names.discard(call.name)
        return self._take(result, value)

    def _taken(self, signal: Signal) -> tuple[str, ...]:
        """The nodes that a refused operation takes: one message is enough for what only it has made a problem."""
        node = self._by_name[signal.name]
        return node.inputs if isinstance(node, Fragment | Stack) else (node.name,)

    def _take(self, result: Node | Signal | Sequence[Node], value: Any) -> Signal:
        """Add what a handler returned to the network."""
        if isinstance(result, Signal):
            return Signal(result.name, _shape(value))
        *before, last = (result,) if isinstance(result, Node) else result
        for node in before:
            self._add(node)
        return self._append(last, value)

    def _repeat(self, node: fx.Node, tensors: Mapping[Signal, torch.Tensor]) -> Any:
        """Carry out a recorded operation on other tensors in place of the signals."""

        def given(value: Any) -> Any:
            if isinstance(value, Signal):
                return tensors[value]
            return type(value)(given(part) for part in value) if type(value) in (tuple, list) else value

        args, kwargs = map_arg((node.args, node.kwargs), lambda n: given(self._env[n]))
        with torch.no_grad():
            return carried_out(node, self._trace.modules.__getitem__, args, kwargs)

    def _handle(self, call: Call, node: fx.Node) -> Any:
        args: Any
        args, kwargs = map_arg((node.args, node.kwargs), lambda n: self._env[n])
        if node.op == "call_module":
            module = self._trace.modules[str(node.target)]
            handler, args = module_handler(module), (module, *args)
        else:
            handler = function_handler(node.target)
        if (changed_by := self._trace.memory.stale.get(node)) is not None:
            raise call.refuse(
                f"takes what {self._describe(changed_by)[1]} has changed in place, by another name of the same memory", REMEDY
            )
        try:
            result = by_trial(call, *args, **kwargs) if handler is None else handler(call, *args, **kwargs)
        except TypeError as error:  # such as sizes that depend on values, or arguments that the handler does not know
            raise call.refuse(
                f"is called in a way that cannot be converted ({error})", "call it with its usual, constant arguments"
            ) from error
        result = fragment_of(call, result)
        value = plain(self._trace.values[node])
        if isinstance(value, torch.Tensor) and not value.is_floating_point() and not self._may_be_whole(result):
            raise call.refuse("rounds to whole numbers", "compute in floating point throughout")
        return result

    def _may_be_whole(self, result: Any) -> bool:
        """Whether a result is what the host computes, such as whole numbers of an argmax, or what arranges it; or a comparison's."""
        last = result[-1] if isinstance(result, (tuple, list)) else result
        node = self._by_name.get(last.name) if isinstance(last, Signal) else last
        if isinstance(node, Fragment):
            return node.function.is_binary
        while isinstance(node, Node) and not isinstance(node, Refused) and len(node.inputs) == 1:
            node = self._by_name.get(node.inputs[0])
        return isinstance(node, Refused) and bool(node.on_host)

    def _append(self, node: Node, value: Any) -> Signal:
        self._add(node)
        self._shapes[node.name] = arranged(_shape(value)[1:])
        return Signal(node.name, _shape(value))

    def _add(self, node: Node) -> None:
        self._nodes.append(node)
        self._by_name[node.name] = node
        self._names.add(node.name)

    def _take_over(self, node: fx.Node) -> None:
        """After an operation in place, whoever held the tensor holds the operation's result."""
        changed = [self._trace.values[n] for n in self._trace.memory.overwritten[node]]
        for other in self._env:
            if any(self._trace.values[other] is value for value in changed):
                self._env[other] = self._env[node]

    def _describe(self, node: fx.Node) -> tuple[str, str]:
        """Name for the node, and name of the operation."""
        path = self._trace.paths[node]
        if node.op == "call_module":
            operation = type(self._trace.modules[str(node.target)]).__name__
            return path or operation.lower(), operation
        operation = str(node.args[1] if node.target is getattr else getattr(node.target, "__name__", node.target))
        if operation == "boolean_dispatch":  # what torch calls its max pooling functions
            operation = node.name
        return self._trace.names.get(node) or f"{path}.{operation}".strip("."), operation

    def _unique(self, name: str) -> str:
        candidates = (name, *(f"{name}_{i}" for i in range(1, len(self._names) + 2)))
        chosen = next(candidate for candidate in candidates if candidate not in self._names)
        self._names.add(chosen)
        return chosen

    def _network_outputs(self, results: Any) -> tuple[Signal, ...]:
        if (changed_by := self._trace.memory.stale.get(self._trace.nodes[-1])) is not None:
            what = f"returns what {self._describe(changed_by)[1]} has changed in place, by another name of the same memory"
            raise UnsupportedLayer(f"forward() {what}", where=self._model_name, remedy=REMEDY)
        signals = tuple(self._env[result] if isinstance(result, fx.Node) else None for result in results)
        outputs = tuple(signal for signal in signals if isinstance(signal, Signal))
        if len(outputs) != len(results):
            raise InvalidModel("the result does not depend on the input", where=self._model_name)
        return outputs


def _shape(value: Any) -> Shape:
    return tuple(value.shape) if isinstance(value, torch.Tensor) else ()
