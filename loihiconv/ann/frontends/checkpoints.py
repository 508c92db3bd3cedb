"""Weights in checkpoints: where they are, and what their names begin with. No code of a file is ever carried out."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from loihiconv.ann.frontends.formats import member_names
from loihiconv.core.errors import InvalidModel

NESTS = (
    *("state_dict", "model_state_dict", "model", "net", "network", "weights", "params"),
    *("ema_state_dict", "state_dict_ema", "model_ema", "params_ema", "ema", "generator"),
)
"""Names that weights have in a checkpoint, in the order in which they are tried."""

PREFIXES = ("module.", "model.", "net.", "network.", "backbone.", "ema.", "ema_model.", "encoder.")
"""What names of weights begin with when what is saved wraps the model; also several of them, one after the other."""

DEEPEST = 8
"""Nests within each other; a damaged checkpoint may hold itself."""

Weights = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Found:
    """Weights that fit a model.

    Attributes
    ----------
    weights : {name: tensor}
        Under the model's own names.
    notes : tuple of str
        What was chosen where there was a choice.
    """

    weights: Weights
    notes: tuple[str, ...]


def find(path: Path, expected: Weights) -> Found:
    """The weights in a file that are a model's.

    Parameters
    ----------
    path : Path
        ``.safetensors``, or what ``torch.save`` wrote.
    expected : {name: tensor}
        The model's own.

    Raises
    ------
    InvalidModel
        If the file is damaged, needs code to be read, holds no weights, or those are not the model's.
    """
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    places = dict(_places(content))
    if not places:
        kind = type(content).__name__
        remedy = "save the weights with torch.save(model.state_dict(), path)"
        raise InvalidModel(f"holds a {kind} that is no state dict{_keys(content)}", where=str(path), remedy=remedy)
    read = {place: _renamed(weights, expected) for place, weights in places.items()}
    fitting = [place for place, names in read.items() if not _differences(names.weights, expected)]
    # Where nothing fits, the errors are about what comes nearest.
    place = fitting[0] if fitting else max(read, key=lambda place: len(read[place].weights.keys() & expected.keys()))
    if not fitting:
        raise _unfit(path, read[place].weights, expected)
    others = ", ".join(f"{other!r}" for other in fitting[1:])
    choice = f"weights under {place!r} are taken; those under {others} would fit as well" if others else ""
    left = sorted(places[place].keys() - read[place].used)
    unused = f"left out, since the model has nothing of that name: {_some(left)}" if left else ""
    return Found(read[place].weights, tuple(f"{path.name}: {note}" for note in (choice, read[place].note, unused) if note))


def _places(content: Any, name: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Weights]]:
    """State dicts in a checkpoint, each once, the most likely ones first."""
    seen = set() if seen is None else seen
    if not isinstance(content, Mapping) or id(content) in seen or name.count(".") >= DEEPEST:
        return
    seen.add(id(content))
    tensors = {key: value for key, value in content.items() if isinstance(value, torch.Tensor) and isinstance(key, str)}
    if tensors and len(tensors) == len(content):
        yield name, tensors
        return
    nested = [found for key in NESTS if key in content for found in _places(content[key], f"{name}.{key}".strip("."), seen)]
    yield from nested
    if tensors and not nested:  # beside other entries, such as an epoch
        yield name, tensors


@dataclass(frozen=True)
class _Names:
    """Weights under other names, which of the file's they are, and what was done to their names."""

    weights: Weights
    used: frozenset[str]
    note: str = ""


def _renamed(weights: Weights, expected: Weights) -> _Names:
    """Weights without what a wrapper put before their names, or with what the model puts there: what makes most names fit."""
    names = {key: key.replace("_orig_mod.", "") for key in weights}  # torch.compile, wherever it was applied
    best, fits, note = names, len(set(names.values()) & expected.keys()), ""
    for prefix in _prefixes(names.values()):
        shorter = {key: name.removeprefix(prefix) for key, name in names.items() if name.startswith(prefix)}
        if (count := len(set(shorter.values()) & expected.keys())) > fits:
            best, fits = shorter, count
            note = "" if prefix == "module." else f"names of weights are read without {_taken_off(shorter, prefix)!r} before them"
    for prefix in _prefixes(expected):
        longer = {key: prefix + name for key, name in names.items()}
        if (count := len(set(longer.values()) & expected.keys())) > fits:
            best, fits, note = longer, count, f"names of weights are read with {prefix!r} before them"
    return _Names({name: weights[key] for key, name in best.items()}, frozenset(best), note)


def _taken_off(names: Mapping[str, str], prefix: str) -> str:
    """What stands before names in the file, with what `torch.compile` put there: "_orig_mod.net."."""
    return next((key.removesuffix(name) for key, name in names.items() if key.endswith(name)), prefix)


def _prefixes(names: Iterable[str]) -> list[str]:
    """What may stand before names: what wrappers put there, in any order, and what all have in common; the most likely first."""
    found: set[str] = set()
    for name in names:
        prefix = ""
        while (part := next((p for p in PREFIXES if name[len(prefix) :].startswith(p)), None)) is not None:
            prefix += part
            found.add(prefix)
    shared: list[str] = []
    for parts in zip(*(name.split(".")[:-1] for name in names)):  # noqa: B905  as far as the shortest
        if len(set(parts)) > 1:
            break
        shared.append(f"{parts[0]}.")
    found.add("".join(shared))
    return sorted(found - {""}, key=_likelihood)


def _likelihood(prefix: str) -> tuple[int, int, str]:
    """Sorts what may stand before names: short ones first, then in the order of `PREFIXES`."""
    first = prefix[: prefix.index(".") + 1]
    return prefix.count("."), PREFIXES.index(first) if first in PREFIXES else len(PREFIXES), prefix


def _differences(weights: Weights, expected: Weights) -> bool:
    return bool(_missing(weights, expected) or _foreign(weights, expected) or _other_shapes(weights, expected))


def _missing(weights: Weights, expected: Weights) -> list[str]:
    """Weights that a file lacks.

    Counters of BatchNorm play no part in evaluation, and files from before they existed lack them. Of tensors that are one and the same,
    safetensors keep one.
    """
    there = {_identity(expected[key]) for key in weights if key in expected}
    lacking = [key for key in expected if key not in weights and not key.endswith("num_batches_tracked")]
    return [key for key in lacking if _identity(expected[key]) not in there]


def _identity(tensor: torch.Tensor) -> tuple[int, tuple[int, ...]]:
    return tensor.data_ptr() or id(tensor), _shape(tensor)


def _foreign(weights: Weights, expected: Weights) -> list[str]:
    return [key for key in weights if key not in expected]


def _other_shapes(weights: Weights, expected: Weights) -> list[str]:
    return [key for key in expected if key in weights and tuple(weights[key].shape) != _shape(expected[key])]


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(getattr(value, "shape", ()))


def _unfit(path: Path, weights: Weights, expected: Weights) -> InvalidModel:
    missing, foreign, shapes = _missing(weights, expected), _foreign(weights, expected), _other_shapes(weights, expected)
    described = [f"{key} ({tuple(weights[key].shape)}, model {_shape(expected[key])})" for key in shapes]
    complaints = (
        f"lacks {_some(missing)}" if missing else "",
        f"has {_some(foreign)}, which the model does not know" if foreign else "",
        f"has other shapes for {_some(described)}" if shapes else "",
    )
    return InvalidModel("; ".join(filter(None, complaints)), where=str(path), remedy=_remedy(weights, missing, foreign, shapes))


def _remedy(weights: Weights, missing: list[str], foreign: list[str], shapes: list[str]) -> str:
    heads = {key.rpartition(".")[0] for key in (*missing, *foreign, *shapes)}
    if len(heads) == 1 and (head := heads.pop()):
        if shapes and not missing and not foreign:
            return f"only {head} differs: build the model with as many outputs as the file has, {len(weights[shapes[0]])}"
        if missing and not shapes:
            return f"only {head} is missing: the file holds the network without its head; load it before that is added, and train the head"
        if foreign and not shapes:
            return f"only {head} is too many: build the model with it"
    return "load it into the model that it was saved from"


def _read_safetensors(path: Path) -> Weights:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise InvalidModel("safetensors is needed for this file", where=str(path), remedy="pip install safetensors") from error
    try:
        return load_file(path)
    except Exception as error:
        raise InvalidModel(f"is not a readable safetensors file: {error}", where=str(path)) from error


def _read_torch(path: Path) -> Any:
    if loader := _program_loader(path):
        raise InvalidModel(f"holds a whole model, no weights alone; where you trust the file, give {loader} of it", where=str(path))
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InvalidModel(
            f"holds Python objects{_refused_class(error)}, which only its own code can rebuild, or is damaged",
            where=str(path),
            limit="only tensors are read, since loading anything else would execute code from the file",
            remedy="where you trust the file, load it yourself with weights_only=False and save the weights alone: "
            "torch.save(checkpoint['state_dict'], path), or torch.save(model.state_dict(), path) of a whole model; "
            "and name the factory that builds the model",
        ) from error
    except Exception as error:
        raise InvalidModel(f"cannot be read by torch.load: {type(error).__name__}: {error}", where=str(path)) from error


def _program_loader(path: Path) -> str:
    """What loads the model in a file of TorchScript or torch.export; empty for other files."""
    names = [name.partition("/")[2] or name for name in member_names(path)]
    if "constants.pkl" in names:
        return "torch.jit.load"
    exported = any(name.startswith("models/") for name in names) or "archive_format" in names
    return "torch.export.load" if exported or "serialized_exported_program.json" in names else ""


def _refused_class(error: Exception) -> str:
    """The class that torch names, for a message: " (omegaconf.dictconfig.DictConfig)"."""
    words = str(error).split("GLOBAL ", 1)
    return f" ({words[1].split()[0]})" if len(words) == 2 and words[1] else ""


def _keys(content: Any) -> str:
    return f"; its keys are {_some(map(str, content))}" if isinstance(content, Mapping) and content else ""


def _some(keys: Iterable[str], limit: int = 5) -> str:
    keys = list(keys)
    more = f" and {len(keys) - limit} more" if len(keys) > limit else ""
    return ", ".join(keys[:limit]) + more
