"""Models from files: weights, and the factory that builds the network they belong to."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from loihiconv.ann.frontends.checkpoints import find
from loihiconv.ann.frontends.copies import own_names
from loihiconv.ann.frontends.model import Source
from loihiconv.ann.frontends.sources import is_readable, kinds
from loihiconv.core.errors import InvalidModel
from loihiconv.core.given import check_path
from loihiconv.core.log import LOG
from loihiconv.core.named import call, named


def load_weights(model: Source, path: str | Path) -> tuple[str, ...]:
    """Load weights into ``model``, in place. No code in the file is ever carried out.

    Names of weights need not begin as the model's do: what `torch.compile`, `nn.DataParallel`, Lightning and other wrappers put before them
    is found. Half precision becomes the model's own.

    Parameters
    ----------
    model : nn.Module
    path : str or Path
        ``.safetensors``, or what ``torch.save`` wrote: a state dict, alone or under one of `checkpoints.NESTS`, the first that fits.

    Returns
    -------
    tuple of str
        What was chosen and left out, where there was a choice.

    Raises
    ------
    InvalidModel
        If the file is missing or damaged, needs code to be read, or its names and shapes are not the model's.
    """
    check_path(path, "weights")
    path = Path(path)
    if not isinstance(model, nn.Module):
        raise InvalidModel(f"weights for a {type(model).__name__}", where=str(path), limit="only an nn.Module takes weights from a file")
    if not path.is_file():
        raise InvalidModel("no such file", where=str(path))
    own = own_names(model)
    state = model.state_dict()
    found = find(path, {name: state[key] for name, key in own.items()})
    model.load_state_dict({own[name]: tensor for name, tensor in found.weights.items()}, strict=False)  # what is missing is known
    for note in found.notes:
        LOG.info(note)
    return found.notes


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
    factory = named(name, "a factory", InvalidModel)
    if not callable(factory) and not is_readable(factory):
        attribute = name.partition(":")[2]
        raise InvalidModel(f"{attribute} is a {type(factory).__name__}", where=name, limit="a function that returns the model expected")
    model: Source = factory if is_readable(factory) else call(factory, name, "the factory", InvalidModel)
    if not is_readable(model):
        raise InvalidModel(f"the factory returns a {type(model).__name__}", where=name, limit=f"{kinds()} expected")
    return model
