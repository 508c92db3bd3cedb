"""Which front end reads which type: from whatever a user has to a `FloatModel`.

A front end is registered by the qualified name of the type that it reads, or, for files, with what recognises their content. It is
imported with the first source of that type: so no framework is imported for the sake of another one. Types are found along a source's
method resolution order, as ``functools.singledispatch`` finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from loihiconv.ann.frontends.formats import Content, content, is_keras, is_onnx, is_tuned, refusal
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
        Qualified name, "package.module.Class", where the class is defined; subclasses are read as well. Of files: a name of the
        format.
    kind : str
        What a user calls it, for messages: "an nn.Module".
    open : callable (source) -> FloatModel
        It may import what it needs. Of files: it gets the `Path`.
    recognises : callable (Content) -> bool, optional
        Makes it a front end for files: whether one is of this format, by its content. The first that does so gets it.
    """

    type: str
    kind: str
    open: Callable[[Any], FloatModel]
    recognises: Callable[[Content], bool] | None = None


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


def _onnx(path: Path) -> FloatModel:
    from loihiconv.ann.frontends.onnx.model import OnnxModel

    return OnnxModel(path)


def _netx(path: Path) -> FloatModel:
    from loihiconv.ann.frontends.netx import NetxModel

    return NetxModel(path)


def _is_netx(file: Content) -> bool:
    from loihiconv.ann.frontends.netx_file import is_netx

    return file.is_hdf5 and is_netx(file.path)


def _tuned(path: Path) -> FloatModel:
    from loihiconv.ann.frontends.tuned import TunedModel

    return TunedModel.read(path)


def _keras(path: Path) -> FloatModel:
    from loihiconv.ann.frontends.keras.model import KerasModel

    return KerasModel(path)


register(FrontEnd("torch.nn.modules.module.Module", "an nn.Module", _torch))
register(FrontEnd("torch.export.exported_program.ExportedProgram", "a torch.export program", _exported))
register(FrontEnd("tuned", "a fine-tuned network", _tuned, is_tuned))
register(FrontEnd("onnx", "an ONNX file", _onnx, is_onnx))
register(FrontEnd("netx", "a file of lava-dl", _netx, _is_netx))
register(FrontEnd("keras", "a Keras file", _keras, is_keras))


def front_end(source: Source) -> FrontEnd | None:
    """The front end for a source, or None.

    Raises
    ------
    InvalidModel
        If the source is the path of a file that cannot be looked at.
    """
    if _is_path(source):
        return _of_file(content(source))
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(source).__mro__)
    return next((_FRONT_ENDS[name] for name in names if name in _FRONT_ENDS), None)


def readable(source: Source) -> FloatModel:
    """A source as a float network that can be read and evaluated; a `FloatModel` is one already.

    Raises
    ------
    InvalidModel
        If no front end reads this type, or this kind of file, with those that are known and what to do.
    """
    if isinstance(source, FloatModel):
        return source
    if _is_path(source) and (Path(source).exists() or not _names_factory(source)):
        return _open(Path(source))
    if not _is_path(source) and (found := front_end(source)):
        return found.open(source)
    raise InvalidModel(_what(source), where="model", limit=f"{kinds()} expected", remedy=_remedy(source))


def is_readable(source: Source) -> bool:
    """Whether `readable` takes a source; of a file, as far as its kind tells."""
    try:
        return isinstance(source, FloatModel) or front_end(source) is not None
    except InvalidModel:  # no such file
        return False


def kinds() -> str:
    """What can be read, for messages: "an nn.Module, an ONNX file, a file of lava-dl or a Keras file"."""
    *others, last = (found.kind for found in _FRONT_ENDS.values())
    return f"{', '.join(others)} or {last}" if others else last


def _is_path(source: Source) -> TypeGuard[str | PathLike[str]]:
    return isinstance(source, (str, PathLike))


def _names_factory(path: str | PathLike[str]) -> bool:
    return ":" in str(path)


def _of_file(file: Content) -> FrontEnd | None:
    return next((found for found in _FRONT_ENDS.values() if found.recognises is not None and found.recognises(file)), None)


def _open(path: Path) -> FloatModel:
    file = content(path)
    if found := _of_file(file):
        return found.open(path)
    raise refusal(file, kinds())


def _what(source: Source) -> str:
    if isinstance(source, (str, PathLike)):
        return f"{str(source)!r} names a factory, no file"
    if isinstance(source, type):
        return f"{source.__name__} is a class, no network"
    return f"a {type(source).__qualname__} is no network that can be read"


def _remedy(source: Source) -> str:
    if isinstance(source, (str, PathLike)):
        return "load it with loihiconv.ann.frontends.loading.load_factory, which calls the function"
    if isinstance(source, type):
        return f"give an instance: {source.__name__}(...)"
    if isinstance(source, Mapping):
        return "build the network, call its load_state_dict with these weights, and give that"
    if callable(source):
        return "give the network that it returns"
    return "build the network in one of these, or register a front end with loihiconv.ann.frontends.register"
