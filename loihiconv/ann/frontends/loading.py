"""Models from files: weights, and the factory that builds the network they belong to."""

from __future__ import annotations

import importlib
import pickle
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from loihiconv.ann.frontends.model import Source
from loihiconv.ann.frontends.sources import is_readable, kinds
from loihiconv.core.errors import InvalidModel, LoihiconvError


def load_weights(model: Source, path: str | Path) -> None:
    """Load weights into ``model``, in place. No code in the file is ever carried out.

    Parameters
    ----------
    model : nn.Module
    path : str or Path
        ``.safetensors``, or what ``torch.save`` wrote: a state dict, alone or under the key "state_dict",
        "model_state_dict" or "model" of a checkpoint.

    Raises
    ------
    InvalidModel
        If the file is missing or damaged, needs code to be read, or its names and shapes are not the model's.
    """
    path = Path(path)
    if not isinstance(model, nn.Module):
        raise InvalidModel(f"weights for a {type(model).__name__}", where=str(path), limit="only an nn.Module takes weights from a file")
    if not path.is_file():
        raise InvalidModel("no such file", where=str(path))
    state = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    expected = model.state_dict()
    if state.keys() and all(key.startswith("module.") for key in state):  # saved from nn.DataParallel
        state = {key.removeprefix("module."): value for key, value in state.items()}
    _check_keys(path, state, expected)
    model.load_state_dict(dict(state))


def load_factory(name: str) -> Source:
    """The model that a function returns. This imports the module and calls the function: it EXECUTES THEIR CODE.

    Parameters
    ----------
    name : str
        ``package.module:function``; modules in the working directory are found.

    Raises
    ------
    InvalidModel
        If there is no such module or function, it fails, or what it returns cannot be read.
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise InvalidModel("does not name a factory", where=repr(name), remedy="write package.module:function")
    module = _import(module_name)
    factory: Any = module
    for part in attribute.split("."):
        if not hasattr(factory, part):
            near = ", ".join(n for n in vars(module) if not n.startswith("_") and callable(getattr(module, n)))
            raise InvalidModel(f"module {module_name} has no {attribute!r}", where=name, remedy=f"it has: {near}" if near else "")
        factory = getattr(factory, part)
    if not callable(factory) and not is_readable(factory):
        raise InvalidModel(f"{attribute} is a {type(factory).__name__}", where=name, limit="a function that returns the model expected")
    try:
        model: Source = factory if is_readable(factory) else factory()
    except LoihiconvError:
        raise
    except Exception as error:
        raise InvalidModel(
            f"the factory fails: {type(error).__name__}: {error}", where=name, remedy="it must work without arguments"
        ) from error
    if not is_readable(model):
        raise InvalidModel(f"the factory returns a {type(model).__name__}", where=name, limit=f"{kinds()} expected")
    return model


def _import(module_name: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and module_name.split(".")[: len(error.name.split("."))] == error.name.split("."):
            remedy = "give it as package.module, importable from the working directory, without .py"
            raise InvalidModel(f"there is no module {error.name!r}", where=module_name, remedy=remedy) from error
        raise InvalidModel(f"needs {error.name!r}, which is not installed", where=module_name) from error
    except Exception as error:
        raise InvalidModel(f"cannot be imported: {type(error).__name__}: {error}", where=module_name) from error


def _read_safetensors(path: Path) -> Mapping[str, torch.Tensor]:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise InvalidModel("safetensors is needed for this file", where=str(path), remedy="pip install safetensors") from error
    try:
        return load_file(path)
    except Exception as error:
        raise InvalidModel(f"is not a readable safetensors file: {error}", where=str(path)) from error


def _read_torch(path: Path) -> Mapping[str, torch.Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InvalidModel(
            "holds Python objects, which only its own code can rebuild, or is damaged",
            where=str(path),
            limit="only tensors are read, since loading anything else would execute code from the file",
            remedy="save the weights with torch.save(model.state_dict(), path), and name the factory that builds the model",
        ) from error
    except Exception as error:
        raise InvalidModel(f"cannot be read by torch.load: {type(error).__name__}: {error}", where=str(path)) from error
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise InvalidModel(
            f"holds a {type(content).__name__} that is no state dict",
            where=str(path),
            remedy="save the weights with torch.save(model.state_dict(), path)",
        )
    return content


def _check_keys(path: Path, state: Mapping[str, torch.Tensor], expected: Mapping[str, Any]) -> None:
    # Counters of BatchNorm play no part in evaluation, and files from before they existed lack them.
    missing = [key for key in expected if key not in state and not key.endswith("num_batches_tracked")]
    foreign = [key for key in state if key not in expected]
    shapes = [key for key in expected if key in state and tuple(state[key].shape) != tuple(getattr(expected[key], "shape", ()))]
    complaints = [
        f"lacks {_some(missing)}" if missing else "",
        f"has {_some(foreign)}, which the model does not know" if foreign else "",
        f"has other shapes for {_some(f'{k} ({tuple(state[k].shape)}, model {tuple(expected[k].shape)})' for k in shapes)}"
        if shapes
        else "",
    ]
    if any(complaints):
        what = "; ".join(filter(None, complaints))
        raise InvalidModel(what, where=str(path), remedy="load it into the model that it was saved from")


def _some(keys: Iterable[str], limit: int = 5) -> str:
    keys = list(keys)
    more = f" and {len(keys) - limit} more" if len(keys) > limit else ""
    return ", ".join(keys[:limit]) + more
