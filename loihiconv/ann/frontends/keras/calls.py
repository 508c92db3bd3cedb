"""What is called in a Keras model, a layer or an operation, and with what besides the results that it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.linear import Array

OPERATION = "ops."
"""How the kinds of operations begin: their classes may have names of layers that they are not."""
_OPERATIONS = ("keras.src.ops.", "keras.ops.")
_KERAS = ("keras", "tf_keras", "tensorflow.keras", "builtins")
OTHERWISE = "write it with a layer of Keras' own, or save the model as ONNX: model.export('model.onnx', format='onnx')"
"""What to do about an operation."""
_CODE = "use Keras' own layers; what stands in the file is code, which is never carried out"


def kind_of(part: Mapping[str, Any], node: Any = None) -> str:
    """What a part of a model is: the class of a layer, or "ops.Add" of an operation.

    Raises
    ------
    UnsupportedLayer
        If it is a class of one's own, whatever Keras' class it is called after.
    """
    kind, module, config = str(part.get("class_name")), part.get("module"), part.get("config")
    if "module" not in part:  # HDF5 does not say where a class is from; what Keras 3 calls without these is no layer
        plain = isinstance(node, dict) and isinstance(config, dict) and config.keys().isdisjoint(("trainable", "dtype", "layers"))
        return OPERATION + kind if plain else kind
    if isinstance(module, str) and module.startswith(_OPERATIONS):
        return OPERATION + kind
    if not isinstance(module, str) or module.partition(".")[0] not in _KERAS:
        where = str((config.get("name") if isinstance(config, dict) else None) or kind)
        raise UnsupportedLayer(f"{kind} is a class of one's own", where=where, remedy=_CODE)
    return kind


def given(node: Any, kind: str, where: str) -> tuple[Array | None, ...]:
    """The arguments of an operation, None for each result among them; of a layer there is nothing to say.

    Raises
    ------
    UnsupportedLayer
        If a layer is told something that changes what it does, as Keras 2 takes ``training=True`` at its word, or an operation something
        that is no number.
    """
    arguments = list(node.get("args", [])) if isinstance(node, dict) else []
    options = dict(_options(node))
    if kind.startswith(OPERATION):
        if any(_says(value) for value in options.values()):
            raise UnsupportedLayer(f"{kind} is called with {', '.join(options)}", where=where, remedy=OTHERWISE)
        return tuple(_constant(value, kind, where) for value in arguments)
    said = {**{f"argument {i}": value for i, value in enumerate(arguments[1:], 2)}, **options}
    for name, value in said.items():
        ignored = name == "name" or (name == "training" and isinstance(node, dict))  # by Keras 3, in favour of what the model is told
        if _says(value) and not ignored:
            raise UnsupportedLayer(f"{kind} is called with {name}={value}", where=where, remedy="call it with nothing but its inputs")
    return ()


def _options(node: Any) -> Iterator[tuple[str, Any]]:
    """Arguments by name, as Keras 3 writes them, or Keras 1 and 2 behind each result."""
    if isinstance(node, dict):
        yield from (node.get("kwargs") or {}).items() if isinstance(node.get("kwargs"), dict) else ()
    elif isinstance(node, list):
        for value in node:
            yield from value.items() if isinstance(value, dict) else _options(value) if isinstance(value, list) else ()


def _says(value: Any) -> bool:
    """Whether an argument is anything but a result, or nothing."""
    if isinstance(value, list):
        return any(map(_says, value))
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        return False
    return value is not None and value is not False


def _constant(value: Any, kind: str, where: str) -> Array | None:
    if not _says(value):
        return None
    if isinstance(value, dict) and isinstance(value.get("config"), dict):
        value = value["config"].get("value", "")
    try:
        constant = np.asarray(value, np.float32)
    except (TypeError, ValueError):
        what = f"{kind} is called with something else than tensors and numbers"
        raise UnsupportedLayer(what, where=where, remedy=OTHERWISE) from None
    if not np.isfinite(constant).all():
        raise InvalidModel("has a constant that is NaN or infinite", where=where, remedy="check that training converged")
    return constant
