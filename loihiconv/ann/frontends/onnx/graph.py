"""An ONNX graph as plain values: operations in order, constants, one input, one output."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

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
    rectifies : bool
        Whether it quantizes to integers that stand for nothing below 0.
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
    rectifies: bool = False

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
        Those that the output depends on, each after those that it depends on.
    constants : {name: array}
    input, output : str
        Names of tensors.
    sample : tuple of int or None, or None
        Shape of a sample, without the batch axis; None for an axis that is left open, or for all of it.
    """

    operations: tuple[Operation, ...]
    constants: Mapping[str, Array]
    input: str
    output: str
    sample: tuple[int | None, ...] | None

    @property
    def sample_shape(self) -> Shape | None:
        """Shape of a sample if the file says it all."""
        if self.sample is None:
            return None
        sizes = tuple(size for size in self.sample if size is not None)
        return sizes if len(sizes) == len(self.sample) else None


def ordered(operations: Iterable[Operation], output: str, known: Collection[str]) -> tuple[Operation, ...]:
    """The operations that the output depends on, in the order in which they can be carried out.

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
    waiting: list[tuple[str, Operation | None]] = [(output, None)] if output not in known else []
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
