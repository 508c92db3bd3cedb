"""Stand-ins for tensors while a model's operations are recorded."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import fx

from loihiconv.ann.frontends.quantized import plain

IN_PLACE = ("iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "imatmul", "iand", "ior", "ixor")
"""Operators that change a tensor, where Python would otherwise put a new one in its place."""


def assign(tensor: Any, index: Any, value: Any) -> Any:
    """The tensor, after ``tensor[index] = value``."""
    tensor[index] = value
    return tensor


class Stand(fx.Proxy):
    """Stands for a tensor during recording, and knows everything about it but its values."""

    @property
    def result(self) -> Any:
        """What it stands for."""
        recorded: Any = self.tracer
        values: dict[fx.Node, Any] = recorded.values
        return values[self.node]

    @property
    def _example(self) -> torch.Tensor:
        value = plain(self.result)
        assert isinstance(value, torch.Tensor)  # what it stands for
        return value

    @property
    def depends(self) -> bool:
        """Whether its value depends on the network's input."""
        recorded: Any = self.tracer
        return self.node in recorded.dependent

    @property
    def shape(self) -> torch.Size:
        return self._example.shape

    @property
    def ndim(self) -> int:
        return self._example.ndim

    @property
    def dtype(self) -> torch.dtype:
        return self._example.dtype

    @property
    def device(self) -> torch.device:
        return self._example.device

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        return self.ndim

    def numel(self) -> int:
        return self.shape.numel()

    def __getattr__(self, name: str) -> Any:
        """A method, recorded when it is called; a tensor such as ``x.T``; or what is known without values, such as ``x.is_cuda``."""
        value = getattr(self.result, name)
        if isinstance(value, torch.Tensor):
            return self.tracer.create_proxy("call_function", getattr, (self, name), {})
        return super().__getattr__(name) if callable(value) else value

    def __len__(self) -> int:
        return len(self.result)

    def __iter__(self) -> Iterator[fx.Proxy]:
        pick: Any = operator.getitem
        return iter([pick(self, i) for i in range(len(self))])

    def __abs__(self) -> Any:
        return self.abs()

    def __setitem__(self, index: Any, value: Any) -> None:
        self.tracer.create_proxy("call_function", assign, (self, index, value), {})


def _in_place(function: Callable[[Any, Any], Any]) -> Callable[[Stand, Any], Any]:
    return lambda stand, other: stand.tracer.create_proxy("call_function", function, (stand, other), {})


for _name in IN_PLACE:
    setattr(Stand, f"__{_name}__", _in_place(getattr(operator, _name)))
