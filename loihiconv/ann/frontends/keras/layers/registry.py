"""Which layer is translated by which function, and what such a function works with.

Keras keeps channels last, what carries operations out wants them first. So a `Value` says how its tensor lies, and is arranged anew only
where a layer needs the other way: in a network of convolutions that is once, at its input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from loihiconv.ann.frontends.handlers import Handlers
from loihiconv.ann.frontends.keras.network import Layer
from loihiconv.ann.frontends.onnx.graph import Operation
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Array


@dataclass(frozen=True)
class Value:
    """The result of a layer.

    Attributes
    ----------
    tensor : str
        Its name.
    rank : int
        Axes, the batch axis included.
    moved : bool
        Whether the last axis, of channels, has been moved behind the batch axis. With up to two axes there is nothing to move.
    """

    tensor: str
    rank: int
    moved: bool = False


Handler: TypeAlias = Callable[..., Value]

_HANDLERS: Handlers[str] = Handlers()
layer = _HANDLERS.on
"""Register a function ``(work, *inputs) -> Value`` for layers of these classes."""


def handler(kind: str) -> Handler | None:
    """The function for a class of layers."""
    return _HANDLERS.of(kind)


class Work:
    """One layer under translation.

    Parameters
    ----------
    layer : Layer
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.operations: list[Operation] = []
        self.constants: dict[str, Array] = {}

    @property
    def config(self) -> Mapping[str, Any]:
        """The layer's configuration."""
        return self.layer.config

    @property
    def weights(self) -> Mapping[str, Array]:
        """The layer's variables."""
        return self.layer.weights

    @property
    def channels_first(self) -> bool:
        """Whether the layer itself takes channels first."""
        return bool(self.config.get("data_format") == "channels_first")

    def add(self, kind: str, *inputs: str | Array | None, **attributes: Any) -> str:
        """An operation of ONNX's kind; arrays become constants. Gives the name of its result."""
        taken = {operation.name for operation in self.operations}
        name = f"{self.layer.name}.{kind.lower()}"
        if kind != "Transpose" and self.layer.name not in taken:  # the layer's own work has its name, not how its input is arranged
            name = self.layer.name
        while name in taken:
            name += "_"
        names = []
        for i, value in enumerate(inputs):
            if isinstance(value, np.ndarray):
                constant = f"{name}:{i}"
                self.constants[constant] = value
                names.append(constant)
            else:
                names.append(value or "")
        self.operations.append(Operation(name, kind, tuple(names), (name,), attributes))
        return name

    def logical(self, value: Value) -> str:
        """The tensor as Keras has it, channels last."""
        if not value.moved:
            return value.tensor
        return self.add("Transpose", value.tensor, perm=(0, *range(2, value.rank), 1))

    def first(self, value: Value) -> str:
        """The tensor with channels behind the batch axis."""
        if value.moved or value.rank < 3:
            return value.tensor
        return self.add("Transpose", value.tensor, perm=(0, value.rank - 1, *range(1, value.rank - 1)))

    def image(self, value: Value) -> str:
        """The tensor with channels behind the batch axis, as the layer itself understands channels."""
        return self.logical(value) if self.channels_first else self.first(value)

    def result(self, tensor: str, rank: int) -> Value:
        """What has channels behind the batch axis, as the layer itself understands channels."""
        return Value(tensor, rank, not self.channels_first and rank > 2)

    def axis(self, value: Value, axis: int, *, last: bool = True) -> int:
        """Axis of a channels-last tensor, counted from the front; the batch axis is refused."""
        if not -value.rank <= axis < value.rank:
            raise InvalidModel(f"acts on axis {axis} of {value.rank}", where=self.layer.name)
        axis %= value.rank
        if axis == 0:
            raise self.layer.refuse("acts on the batch axis", "keep samples apart")
        return axis

    def along(self, value: Value, axis: int) -> int:
        """Where an axis of the channels-last tensor is in the tensor as it lies."""
        if not value.moved:
            return axis
        return 1 if axis == value.rank - 1 else axis + 1

    def numbers(self, key: str, count: int, default: Any = 1) -> tuple[int, ...]:
        """Integers of the configuration, one for each of so many axes."""
        given = self.config.get(key)
        given = default if given is None else given
        values = tuple(given) if isinstance(given, (list, tuple)) else (given,) * count
        if len(values) != count or not all(isinstance(n, int) for n in values):
            raise InvalidModel(f"has {key} {given}, where {count} integers are expected", where=self.layer.name)
        return values

    def padding(self) -> dict[str, Any]:
        """What stands for the padding of a window, as attributes; "same" is TensorFlow's, whose odd pixel comes at the end."""
        padding = self.config.get("padding", "valid")
        if padding not in ("valid", "same"):
            raise self.layer.refuse(f"has padding {padding!r}", 'use "valid" or "same"')
        return {"auto_pad": "SAME_UPPER" if padding == "same" else "VALID"}
