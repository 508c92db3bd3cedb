"""Dataclasses as JSON beside arrays, and back along their type hints.

A dataclass is ``{"class": ..., field: ...}``, an array ``{"array": member}``; everything else is what JSON makes of it. Type hints say
what may stand where, so a new class needs no change here.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from loihiconv.core.linear import Array
from loihiconv.core.record import Json

AGAIN = "copy or save it again"
UPDATE = "update loihiconv"
_REPR = reprlib.Repr()
_REPR.maxlevel = 1  # messages show the outside of a value


class Malformed(ValueError):
    """What is wrong with values or with a file; whoever reads or writes it adds which file.

    Parameters
    ----------
    what : str
    remedy : str
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.remedy = remedy


def shown(value: Any) -> str:
    """A value's outside, for messages."""
    return _REPR.repr(value)


def encode(value: Any, where: str, arrays: dict[str, Array]) -> Any:
    """JSON of a dataclass and all in it; its arrays are added to ``arrays`` under the name of their place.

    Parameters
    ----------
    value : any
    where : str
        Its place: fields' names and indices, joined by dots; "" at the top.
    arrays : dict

    Raises
    ------
    Malformed
        If something in it has no place in JSON.
    """
    if is_dataclass(value):
        return _encode_object(value, where, arrays)
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biuf":
            raise Malformed(f"{where} is an array of {value.dtype}; numbers expected")
        arrays[f"{where}.npy"] = value
        return {"array": f"{where}.npy"}
    if isinstance(value, (tuple, list)):
        return [encode(item, f"{where}.{i}", arrays) for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {_key(key, where): encode(item, f"{where}.{key}", arrays) for key, item in value.items()}
    return _json(value.item() if isinstance(value, np.generic) else value, where)


def decode(description: Any, cls: type, where: str, arrays: Mapping[str, Array]) -> Any:
    """The dataclass that JSON stands for.

    Parameters
    ----------
    description : JSON values
    cls : type
        What is expected.
    where : str
        What messages call it.
    arrays : {name: array}
        All of them must be used.

    Raises
    ------
    Malformed
        If anything in it is missing, unknown or of another kind than the type hints say.
    """
    decoder = _Decoder(arrays)
    value = decoder.value(description, cls, where)
    if unused := sorted(arrays.keys() - decoder.used):
        raise Malformed(f"the {where} does not use its member {unused[0]}")
    return value


def _encode_object(value: Any, where: str, arrays: dict[str, Array]) -> dict[str, Any]:
    prefix, hints = f"{where}." if where else "", get_type_hints(type(value))
    result = {"class": type(value).__name__}
    for field in (f for f in fields(value) if f.init):
        item, place = getattr(value, field.name), prefix + field.name
        result[field.name] = _json(item, place) if hints[field.name] == Json else encode(item, place, arrays)
    return result


def _key(key: Any, where: str) -> str:
    if type(key) not in (str, int):
        raise Malformed(f"{where} has the key {shown(key)}; text or a whole number expected")
    return str(key)


def _json(value: Any, where: str) -> Any:
    """Plain JSON values, or what among them is none."""
    if isinstance(value, Mapping):
        if strange := [key for key in value if not isinstance(key, str)]:
            raise Malformed(f"{where} has the key {shown(strange[0])}; text expected")
        return {key: _json(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_json(item, f"{where}.{i}") for i, item in enumerate(value)]
    if value is not None and not isinstance(value, (str, bool, int, float)):
        raise Malformed(f"{where} is a {type(value).__name__}; JSON cannot hold it")
    if isinstance(value, float) and not np.isfinite(value):
        raise Malformed(f"{where} is {value}; a finite number expected")
    return value


def _invalid(value: Any, hint: Any, where: str) -> Malformed:
    return Malformed(f"{where} is {shown(value)}, not a valid {getattr(hint, '__name__', hint)}", f"{UPDATE}, or {AGAIN}")


class _Decoder:
    """Values from JSON where a type hint says what is expected; ``used`` names the arrays that were looked up."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self.arrays, self.used = arrays, set[str]()
        self.kinds: Mapping[Any, Callable[[Any, Any, str], Any]] = {
            Union: self.union,
            UnionType: self.union,
            Literal: self.literal,
            Mapping: self.mapping,
            tuple: self.sequence,
            get_origin(Array): self.array,
        }

    def value(self, value: Any, hint: Any, where: str) -> Any:
        if is_dataclass(hint):
            return self.object(value, (hint,), where)
        return self.kinds.get(get_origin(hint), self.plain)(value, hint, where)

    def plain(self, value: Any, hint: Any, where: str) -> Any:
        if type(value) is hint or (hint is float and type(value) is int):  # `type`, as True is an int to isinstance
            return value
        raise _invalid(value, hint, where)

    def literal(self, value: Any, hint: Any, where: str) -> Any:
        if isinstance(value, str) and value in get_args(hint):
            return value
        raise _invalid(value, hint, where)

    def array(self, value: Any, hint: Any, where: str) -> Array:
        name = value.get("array") if isinstance(value, dict) and len(value) == 1 else None
        if not isinstance(name, str) or name not in self.arrays:
            raise Malformed(f"the array of {where} is missing", AGAIN)
        self.used.add(name)
        return self.arrays[name]

    def union(self, value: Any, hint: Any, where: str) -> Any:
        options = get_args(hint)
        if value is None and NoneType in options:
            return None
        rest = tuple(option for option in options if option is not NoneType)
        if Array in rest:
            is_array = isinstance(value, dict) and "array" in value
            rest = tuple(option for option in rest if (option == Array) == is_array)
        return self.value(value, rest[0], where) if len(rest) == 1 else self.object(value, rest, where)

    def sequence(self, value: Any, hint: Any, where: str) -> Any:
        options = get_args(hint)
        if isinstance(value, list):
            hints = [options[0]] * len(value) if options[-1] is Ellipsis else list(options)
            if len(hints) == len(value):
                return tuple(self.value(v, h, f"{where}.{i}") for i, (v, h) in enumerate(zip(value, hints, strict=True)))
        raise _invalid(value, hint, where)

    def mapping(self, value: Any, hint: Any, where: str) -> Any:
        keys, items = get_args(hint)
        if not isinstance(value, dict) or (keys is int and not all(_is_whole(key) for key in value)):
            raise _invalid(value, hint, where)
        return value if items is Any else {keys(key): self.value(item, items, f"{where}.{key}") for key, item in value.items()}

    def object(self, value: Any, classes: tuple[Any, ...], where: str) -> Any:
        kind = value.get("class") if isinstance(value, dict) else None
        cls = next((c for c in classes if c.__name__ == kind), None)
        if cls is None:
            expected = " or ".join(c.__name__ for c in classes)
            raise Malformed(f"{where} is of an unknown kind {shown(kind)}; {expected} expected", UPDATE)
        known = {f.name: f for f in fields(cls) if f.init}
        if unknown := sorted(value.keys() - known.keys() - {"class"}):
            raise Malformed(f"{where} has an unknown field {unknown[0]!r}", UPDATE)
        for field in known.values():
            if field.name not in value and field.default is MISSING and field.default_factory is MISSING:
                raise Malformed(f"{where} lacks its field {field.name!r}", AGAIN)
        hints = get_type_hints(cls)
        given = {key: self.value(value[key], hints[key], f"{where}.{key}") for key in known if key in value}
        try:
            return cls(**given)
        except Exception as error:  # whatever a forged description makes a constructor raise, the file is to blame
            raise Malformed(f"{where} is inconsistent: {error}") from error


def _is_whole(key: str) -> bool:
    """Whether a key is a whole number as `encode` writes it."""
    return key.isascii() and key.removeprefix("-").isdigit() and str(int(key)) == key
