"""An ONNX graph as plain values: operations in order, constants, inputs, outputs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loihiconv.ann.frontends.open_shapes import OpenShape, whole
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.linear import Array, Shape

STANDARD = ("", "ai.onnx")
"""Names of the domain of ONNX's own operators."""


@dataclass(frozen=True, eq=False)
class Operation:
    """One node of the graph.

    Attributes
    ----------
    name : str
        As the file names the node, or its first output where the node has no name.
    kind : str
        Operator, such as "Conv"; other domains than ONNX's own are part of it: "com.microsoft.QGemm".
    inputs, outputs : tuple of str
        Names of tensors; "" is an optional one that is left out.
    attributes : {name: value}
        Numbers, strings, their tuples, and tensors as arrays.
    opset : int
        Version of ONNX's operators.
    batch : int or None
        Size of the batch axis that the file was written for; None if it is left open.
    live : bool
        Whether it takes values that come from the network's input; not its shape alone.
    never_negative : bool
        Whether no value of its first input can be below 0.
    integers : (int, int)
        The least and the largest that it quantizes to; (0, 0) where it does not.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    opset: int = 25
    batch: int | None = None
    live: bool = True
    never_negative: bool = False
    integers: tuple[int, int] = (0, 0)

    def get(self, attribute: str, default: Any = None) -> Any:
        """An attribute, or what it is where the file does not say."""
        return self.attributes.get(attribute, default)

    def refuse(self, why: str, remedy: str = "") -> UnsupportedLayer:
        """The error for an operator, or a use of one, that cannot be converted."""
        return UnsupportedLayer(f"{self.kind} {why}", where=self.name, remedy=remedy)

    def broken(self, why: str) -> InvalidModel:
        """The error for a node that contradicts itself or its inputs."""
        return InvalidModel(f"{self.kind} {why}", where=self.name, remedy="check the file with onnx.checker, or export it again")


@dataclass(frozen=True, eq=False)
class Graph:
    """All of a file that matters here.

    Attributes
    ----------
    operations : tuple of Operation
        Those that the outputs depend on, each after those that it depends on.
    constants : {name: array}
    inputs, outputs : tuple of str
        Names of tensors.
    samples : tuple of shapes
        Shape of a sample of each input, without the batch axis; None for an axis that is left open, or for all of it.
    names : tuple of str
        What the model calls its outputs, where it is not as the tensors are called.
    """

    operations: tuple[Operation, ...]
    constants: Mapping[str, Array]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    samples: tuple[OpenShape | None, ...]
    names: tuple[str, ...] = ()

    @property
    def sample_shapes(self) -> tuple[Shape, ...] | None:
        """Shape of a sample of each input if the file says it all."""
        return whole(self.samples)


def ordered(operations: Iterable[Operation], outputs: Sequence[str], known: Collection[str]) -> tuple[Operation, ...]:
    """The operations that the outputs depend on, in the order in which they can be carried out.

    Raises
    ------
    InvalidModel
        If a tensor is made nowhere, twice, or from itself.
    """
    makers: dict[str, Operation] = {}
    for operation in operations:
        for name in filter(None, operation.outputs):
            if name in makers:
                raise operation.broken(f"makes {name!r}, which {makers[name].name} makes already")
            makers[name] = operation
    done: dict[int, Operation] = {}
    begun: set[int] = set()
    waiting: list[tuple[str, Operation | None]] = [(output, None) for output in reversed(outputs) if output not in known]
    while waiting:
        name, user = waiting[-1]
        maker = makers.get(name)
        if maker is None:
            where = user.name if user is not None else "output"
            raise InvalidModel(f"takes {name!r}, which nothing makes", where=where, remedy="the file is damaged; export it again")
        missing = [n for n in maker.inputs if n and n not in known and id(makers.get(n)) not in done]
        if not missing or id(maker) in done:
            done[id(maker)] = maker
            waiting.pop()
        elif id(maker) in begun:
            raise maker.broken("depends on its own result")
        else:
            begun.add(id(maker))
            waiting += [(n, maker) for n in reversed(missing)]
    return tuple(done.values())
