"""Carry an ONNX graph out with PyTorch: a module with one submodule per operation, named as the file names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.fx.proxy import TraceError

import loihiconv.ann.frontends.onnx.operators  # noqa: F401  registers the operators
from loihiconv.ann.frontends.one_operation import OneOperation
from loihiconv.ann.frontends.onnx.graph import Graph, Operation
from loihiconv.ann.frontends.onnx.operators.registry import handler
from loihiconv.ann.frontends.onnx.refusals import Shapes, remedy, stand_in
from loihiconv.core.errors import LoihiconvError, UnsupportedLayer
from loihiconv.core.linear import Array, Shape


class Step(OneOperation):
    """One operation.

    Parameters
    ----------
    operation : Operation
    shapes : Shapes
        For results that stand for what is refused.
    """

    def __init__(self, operation: Operation, shapes: Shapes) -> None:
        super().__init__()
        self.operation, self._shapes = operation, shapes

    def forward(self, *inputs: Any, batch: Sequence[Shape]) -> tuple[Any, ...]:
        # Here, as a recorder loses its way where an error leaves a module.
        try:
            return self._results(*inputs)
        except UnsupportedLayer as error:
            return stand_in(error, inputs, lambda: self._shapes(batch), self.operation.outputs)

    def _results(self, *inputs: Any) -> tuple[Any, ...]:
        operation = self.operation
        compute = handler(operation.kind)
        if compute is None:
            raise operation.refuse("cannot be converted", remedy(operation.kind))
        try:
            results = compute(operation, *inputs)
        except (LoihiconvError, TraceError):
            raise
        except Exception as error:  # what a damaged or contradictory file breaks is of many kinds
            said = (str(error).splitlines() or [""])[0]
            raise operation.broken(f"fails on inputs of shapes {_shapes(inputs)}: {type(error).__name__}: {said}") from error
        return results if isinstance(results, tuple) else (results,)


class Interpreter(nn.Module):
    """An ONNX graph as a module of its inputs, in order; several outputs are a dict.

    What follows from constants alone is computed once. Floats are float32.

    Parameters
    ----------
    graph : Graph
    shapes : Shapes
        Tells the shape of what cannot be computed, so that what comes after it is looked at too.
    """

    def __init__(self, graph: Graph, shapes: Shapes) -> None:
        super().__init__()
        self._graph = graph
        self._constants: dict[str, Tensor] = {}
        self._steps: list[Step] = []
        used = {name for operation in graph.operations for name in operation.inputs} | {*graph.outputs}
        self._constants = {name: _tensor(values) for name, values in graph.constants.items() if name in used}
        for operation in graph.operations:
            step = Step(operation, shapes)
            if operation.inputs and all(not name or name in self._constants for name in operation.inputs):
                self._fold(step)
            else:
                self._steps.append(step)
                _add(self, operation.name, step)
        self._last_use = {name: i for i, step in enumerate(self._steps) for name in step.operation.inputs}

    def _fold(self, step: Step) -> None:
        inputs = [self._constants[name] if name else None for name in step.operation.inputs]
        with torch.no_grad():
            results = step(*inputs, batch=())
        self._constants.update((name, value) for name, value in zip(step.operation.outputs, results, strict=False) if name)

    def forward(self, *given: Any) -> Any:
        known: dict[str, Any] = dict(zip(self._graph.inputs, given, strict=True))
        batch = tuple(tuple(x.shape) for x in given)
        for i, step in enumerate(self._steps):
            operation = step.operation
            inputs = [None if not name else known[name] if name in known else self._constants[name] for name in operation.inputs]
            results = step(*inputs, batch=batch)
            known.update((name, value) for name, value in zip(operation.outputs, results, strict=False) if name)
            for name in operation.inputs:
                if self._last_use[name] == i and name not in self._graph.outputs:
                    known.pop(name, None)
        tensors = self._graph.outputs
        results = [self._result(known[name] if name in known else self._constants[name], batch) for name in tensors]
        return dict(zip(self._graph.names or tensors, results, strict=True)) if len(results) > 1 else results[0]

    @staticmethod
    def _result(result: Any, batch: Sequence[Shape]) -> Any:
        """An output with an axis of values behind that of samples."""
        return torch.reshape(result, (batch[0][0], 1)) if tuple(result.shape) == (batch[0][0],) else result


def _add(root: nn.Module, name: str, step: Step) -> None:
    """Register a submodule so that its path is ``name``, in which points stand for modules within modules."""
    *outer, last = (part or "_" for part in name.split("."))
    for part in outer:
        part = _free(root, part)
        root.add_module(part, root._modules.get(part) or nn.Module())
        root = root.get_submodule(part)
    last = _free(root, last)
    if inner := root._modules.get(last):  # so far only there for others within it
        step._modules.update(inner._modules)
    root.add_module(last, step)


def _free(root: nn.Module, name: str) -> str:
    """The name, unless it is that of something else than a submodule, as "forward" is."""
    while name not in root._modules and hasattr(root, name):
        name += "_"
    return name


def _tensor(values: Array) -> Tensor:
    if values.dtype.kind in "OSU":
        return torch.empty(0)  # strings have no part in a network
    return torch.from_numpy(np.array(values, np.float32 if values.dtype.kind == "f" else bool if values.dtype.kind == "b" else np.int64))


def _shapes(values: Any) -> Mapping[int, tuple[int, ...]] | tuple[Any, ...]:
    return tuple(tuple(value.shape) for value in values if isinstance(value, (Tensor, fx.Proxy)))
