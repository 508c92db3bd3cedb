"""Where in a model an operation of a graph came from, and how it is then called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Scope:
    """The innermost module that an operation was done in.

    Attributes
    ----------
    path : str
        Empty for the model itself.
    kind : str
        Name of its class.
    """

    path: str
    kind: str

    @property
    def is_layer(self) -> bool:
        """Whether it is one of PyTorch's own layers, which users know by its path alone."""
        return bool(self.path) and hasattr(nn, self.kind) and self.kind not in ("Module", "Sequential", "ModuleList", "ModuleDict")


def last_of_layers(scopes: Sequence[Scope]) -> list[bool]:
    """For each of the operations in a row, whether it is the last one of a layer: the one that has the layer's name."""
    following = [*scopes[1:], Scope("", "")] if scopes else []
    return [scope.is_layer and after != scope for scope, after in zip(scopes, following, strict=True)]
