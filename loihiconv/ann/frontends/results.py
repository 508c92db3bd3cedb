"""Which of the tensors that a model returns are its outputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch

from loihiconv.core.errors import InvalidModel, UnsupportedLayer

Path: TypeAlias = "tuple[str | int, ...]"

USUAL = ("logits", "out", "output", "outputs", "scores", "predictions", "last_hidden_state")
"""Names of what a model is there for."""
ASIDE = ("hidden", "hidden_states", "features", "attentions", "aux", "aux_logits", "aux_outputs", "pooled", "pooler_output")
"""Names of what models return beside that: of training's losses, or for whoever looks inside. No outputs where there is one of `USUAL`."""


@dataclass(frozen=True)
class Chosen:
    """The tensors that are a model's outputs.

    Attributes
    ----------
    paths : tuple of paths
        Keys, names of fields and places that lead to each; () for the one of a model that returns a tensor.
    left_out : tuple of str
        What else the model returns.
    """

    paths: tuple[Path, ...] = ((),)
    left_out: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What each output is called."""
        return tuple(map(_text, self.paths))

    @property
    def note(self) -> str:
        """What a user should know about it; empty where there was no choice."""
        if not self.left_out:
            return ""
        taken = f"{self.names[0]} is taken as the output" if len(self.paths) == 1 else f"{', '.join(self.names)} are taken as the outputs"
        return f"of what forward() returns, {taken}; {', '.join(self.left_out)} left out"

    def of(self, result: Any) -> tuple[Any, ...]:
        """The tensors in what a model returned."""
        return tuple(_at(result, path) for path in self.paths)


def _at(result: Any, path: Path) -> Any:
    for key in path:
        result = dict(_parts(result))[key]
    return result


def choose(result: Any, model: str, tensor: Callable[[Any], torch.Tensor | None], depends: Callable[[Any], bool]) -> Chosen:
    """Choose the outputs: all tensors of numbers that depend on the input, but for what is known to stand aside.

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
        If there is no tensor at all.
    InvalidModel
        If none depends on the input.
    """
    if tensor(result) is not None:
        return Chosen()
    found = {path: value for path, value in _leaves(result, tensor) if _floating(tensor(value))}
    if not found:
        raise UnsupportedLayer(
            f"forward() returns {type(result).__name__}, without a tensor of numbers",
            where=model,
            limit="a tensor of outputs expected, or several",
            remedy="return the tensors themselves, in a tuple or a dict if there are several",
        )
    candidates = [path for path, value in found.items() if depends(value)]
    if not candidates:
        raise InvalidModel("the result does not depend on the input", where=model)
    if any(name in path for path in candidates for name in USUAL):
        candidates = [path for path in candidates if any(name in path for name in USUAL) or not any(name in path for name in ASIDE)]
    left_out = tuple(_text(other) for other, _ in _leaves(result, tensor) if other not in candidates)
    return Chosen(tuple(candidates), left_out)


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
