"""Which of the tensors that a model returns is its output."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch

from loihiconv.core.errors import InvalidModel, UnsupportedLayer

Path: TypeAlias = "tuple[str | int, ...]"

USUAL = ("logits", "out", "output", "outputs", "scores", "predictions", "last_hidden_state")
"""Names of a model's output where it returns several tensors, in the order in which they are looked for."""


@dataclass(frozen=True)
class Chosen:
    """The tensor that stands for a model's output.

    Attributes
    ----------
    path : tuple of str and int
        Keys, names of fields and places that lead to it; empty for a model that returns a tensor.
    left_out : tuple of str
        What else the model returns.
    """

    path: Path
    left_out: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What a user should know about it; empty where there was no choice."""
        if not self.left_out:
            return ""
        return f"of what forward() returns, {_text(self.path)} is taken as the output; {', '.join(self.left_out)} left out"

    def of(self, result: Any) -> Any:
        """The tensor in what a model returned."""
        for key in self.path:
            result = dict(_parts(result))[key]
        return result


def choose(result: Any, model: str, tensor: Callable[[Any], torch.Tensor | None], depends: Callable[[Any], bool]) -> Chosen:
    """Choose the output: the only tensor that depends on the input, or the one under a usual name.

    Parameters
    ----------
    result : tensor, or mappings, sequences and dataclasses of such
    model : str
        Its name, for messages.
    tensor : callable
        The tensor that a value is or stands for, or None.
    depends : callable
        Whether the value of such a tensor depends on the input.

    Raises
    ------
    UnsupportedLayer
        If there are several, none of them under a usual name, or no tensor at all.
    InvalidModel
        If none depends on the input.
    """
    if tensor(result) is not None:
        return Chosen(())
    found = {path: value for path, value in _leaves(result, tensor) if _floating(tensor(value))}
    if not found:
        raise _several(f"forward() returns {type(result).__name__}, without a tensor of numbers", model)
    candidates = [path for path, value in found.items() if depends(value)]
    if not candidates:
        raise InvalidModel("the result does not depend on the input", where=model)
    if len(candidates) > 1:
        usual = [named for name in USUAL if len(named := [path for path in candidates if name in path]) == 1]
        if not usual:
            raise _several(f"forward() returns several results ({', '.join(map(_text, candidates))})", model)
        candidates = usual[0]
    path = candidates[0]
    return Chosen(path, tuple(_text(other) for other, _ in _leaves(result, tensor) if other != path))


def _several(what: str, model: str) -> UnsupportedLayer:
    limit = "one tensor, the outputs per class, expected"
    remedy = f"wrap the model in one that returns only that tensor, or return a dict that names it {USUAL[0]!r}"
    return UnsupportedLayer(what, where=model, limit=limit, remedy=remedy)


def _leaves(result: Any, tensor: Callable[[Any], torch.Tensor | None], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if tensor(result) is not None:
        yield path, result
        return
    for key, value in _parts(result):
        yield from _leaves(value, tensor, (*path, key))


def _parts(result: Any) -> Iterator[tuple[str | int, Any]]:
    """What a result holds, by key, name of the field, or place."""
    if isinstance(result, Mapping):
        yield from result.items()
    elif dataclasses.is_dataclass(result):
        yield from ((field.name, getattr(result, field.name)) for field in dataclasses.fields(result))
    elif isinstance(result, tuple) and hasattr(result, "_fields"):
        yield from zip(result._fields, result, strict=True)
    elif isinstance(result, (tuple, list)):
        yield from enumerate(result)


def _floating(value: torch.Tensor | None) -> bool:
    return value is not None and value.is_floating_point()


def _text(path: Path) -> str:
    return ".".join(map(str, path))
