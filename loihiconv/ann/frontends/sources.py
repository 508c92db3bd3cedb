"""Which front end reads which type: from whatever a user has to a `FloatModel`.

A front end is registered by the qualified name of the type that it reads, and is imported with the first source of that type:
so no framework is imported for the sake of another one. Types are found along a source's method resolution order, as
``functools.singledispatch`` finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

from loihiconv.ann.frontends.model import FloatModel, Source
from loihiconv.core.errors import InvalidModel, InvalidSetting

if TYPE_CHECKING:
    from torch import nn
    from torch.export import ExportedProgram


@dataclass(frozen=True)
class FrontEnd:
    """What reads one type of source.

    Attributes
    ----------
    type : str
        Qualified name, "package.module.Class", where the class is defined; subclasses are read as well.
    kind : str
        What a user calls it, for messages: "an nn.Module".
    open : callable (source) -> FloatModel
        It may import what it needs.
    """

    type: str
    kind: str
    open: Callable[[Any], FloatModel]


_FRONT_ENDS: dict[str, FrontEnd] = {}


def register(front_end: FrontEnd) -> FrontEnd:
    """Add a front end; returns it.

    Raises
    ------
    InvalidSetting
        If there is one for this type.
    """
    if front_end.type in _FRONT_ENDS:
        raise InvalidSetting(f"there is a front end for {front_end.type} already", where="front end")
    _FRONT_ENDS[front_end.type] = front_end
    return front_end


def unregister(type: str) -> None:
    """Take a front end away again, as tests do."""
    del _FRONT_ENDS[type]


def _torch(module: nn.Module) -> FloatModel:
    from loihiconv.ann.frontends.torch_model import TorchModel

    return TorchModel(module)


def _exported(program: ExportedProgram) -> FloatModel:
    from loihiconv.ann.frontends.torch_model import TorchModel

    return TorchModel(program.module())


register(FrontEnd("torch.nn.modules.module.Module", "an nn.Module", _torch))
register(FrontEnd("torch.export.exported_program.ExportedProgram", "a torch.export program", _exported))


def front_end(source: Source) -> FrontEnd | None:
    """The front end for a source, or None."""
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(source).__mro__)
    return next((_FRONT_ENDS[name] for name in names if name in _FRONT_ENDS), None)


def readable(source: Source) -> FloatModel:
    """A source as a float network that can be read and evaluated; a `FloatModel` is one already.

    Raises
    ------
    InvalidModel
        If no front end reads this type, with those that are known and what to do.
    """
    if isinstance(source, FloatModel):
        return source
    if found := front_end(source):
        return found.open(source)
    raise InvalidModel(_what(source), where="model", limit=f"{kinds()} expected", remedy=_remedy(source))


def is_readable(source: Source) -> bool:
    """Whether `readable` takes a source."""
    return isinstance(source, FloatModel) or front_end(source) is not None


def kinds() -> str:
    """What can be read, for messages: "an nn.Module"."""
    return " or ".join(found.kind for found in _FRONT_ENDS.values())


def _what(source: Source) -> str:
    if isinstance(source, (str, PathLike)):
        return f"{str(source)!r} is a path or a name, no network"
    if isinstance(source, type):
        return f"{source.__name__} is a class, no network"
    return f"a {type(source).__qualname__} is no network that can be read"


def _remedy(source: Source) -> str:
    if isinstance(source, (str, PathLike)):
        if ":" in str(source):
            return "load it with loihiconv.ann.frontends.loading.load_factory, which calls the function"
        return "build the network, load its weights with loihiconv.ann.frontends.loading.load_weights(model, path), and give that"
    if isinstance(source, type):
        return f"give an instance: {source.__name__}(...)"
    if isinstance(source, Mapping):
        return "build the network, call its load_state_dict with these weights, and give that"
    if callable(source):
        return "give the network that it returns"
    return "build the network in one of these, or register a front end with loihiconv.ann.frontends.register"
