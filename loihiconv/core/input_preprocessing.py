"""The preprocessing of networks with several inputs: one for each input that has any, by its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

from loihiconv.core.errors import InvalidData, InvalidSetting
from loihiconv.core.given import did_you_mean, shown
from loihiconv.core.linear import Array
from loihiconv.core.packing import packed, plain
from loihiconv.core.parts import Part, divided
from loihiconv.core.preprocessing import Preprocessing

GivenPreprocessing: TypeAlias = "Preprocessing | Mapping[str, Preprocessing] | None"
"""Of a network with one input, or {input: its own} of one with several; those left out, and None, come as the network takes them."""


def check_preprocessing(preprocessing: object) -> None:
    """Raise `InvalidSetting` for what is neither None, a `Preprocessing` nor a mapping of names to such."""
    values = list(preprocessing.values()) if isinstance(preprocessing, Mapping) else [] if preprocessing is None else [preprocessing]
    for value in values:
        if not isinstance(value, Preprocessing):
            limit = "a Preprocessing expected, {input: Preprocessing} of a network with several inputs, or None"
            raise InvalidSetting(shown(value), where="preprocessing", limit=limit)


def check_inputs(preprocessing: GivenPreprocessing, inputs: Sequence[str]) -> None:
    """Raise `InvalidSetting` for a preprocessing that does not tell which of several inputs it is for, or is for one that there is not."""
    names = list(inputs)
    if isinstance(preprocessing, Preprocessing) and len(names) > 1:
        raise InvalidSetting(
            f"{preprocessing} for {len(names)} inputs",
            where="preprocessing",
            limit="of networks with one input",
            remedy=f"say which input it is for: {{{names[0]!r}: Preprocessing(...)}}",
        )
    if isinstance(preprocessing, Mapping) and len(names) < 2 and preprocessing:
        words = "{input: Preprocessing} is for several"
        what = f"{', '.join(map(shown, preprocessing))} for a network with one input"
        raise InvalidSetting(what, where="preprocessing", limit=words, remedy="give the Preprocessing itself")
    check_names(by_input(preprocessing), names)


def check_names(said: Iterable[str], inputs: Sequence[str]) -> None:
    """Raise `InvalidSetting` for a name that no input has."""
    if unknown := [name for name in said if name not in inputs]:
        what = f"no input is called {shown(unknown[0])}{did_you_mean(unknown[0], inputs)}"
        raise InvalidSetting(what, where="preprocessing", limit=f"inputs: {', '.join(inputs)}")


def by_input(preprocessing: GivenPreprocessing) -> Mapping[str, Preprocessing]:
    """Those of several inputs by name; empty for None and for that of a single input."""
    return preprocessing if isinstance(preprocessing, Mapping) else {}


def of_one(preprocessing: GivenPreprocessing) -> Preprocessing | None:
    """That of a single input; None for those of several."""
    return None if isinstance(preprocessing, Mapping) else preprocessing


def in_words(preprocessing: GivenPreprocessing) -> str:
    """As commands and reports say it: "image: x / 255; state: (x - 5) / 3"."""
    if isinstance(preprocessing, Preprocessing):
        return str(preprocessing)
    return "; ".join(f"{name}: {own}" for name, own in by_input(preprocessing).items())


def as_json(preprocessing: GivenPreprocessing) -> dict[str, Any] | None:
    """Its fields; of several inputs {input: fields}."""
    if preprocessing is None:
        return None
    return asdict(preprocessing) if isinstance(preprocessing, Preprocessing) else {k: asdict(v) for k, v in preprocessing.items()}


def each_applied(each: Mapping[str, Preprocessing], x: Mapping[str, Any]) -> dict[str, Any]:
    """Samples {input: (N, \\*shape)} as the network takes them.

    Raises
    ------
    InvalidData
        If those of an input have other axes or channels than were said.
    """
    return {name: _applied(name, each[name], values) if name in each else values for name, values in x.items()}


def _applied(name: str, preprocessing: Preprocessing, values: Any) -> Array:
    try:
        return preprocessing.apply(plain(values))
    except InvalidData as error:
        raise InvalidData(error.what, where=f"input {name}, {error.where}", limit=error.limit, remedy=error.remedy) from error


def taken(preprocessing: GivenPreprocessing, x: Any) -> Any:
    """Samples, of several inputs {input: array}, as the network takes them."""
    if isinstance(preprocessing, Mapping):
        return each_applied(preprocessing, x)
    return x if preprocessing is None else preprocessing.apply(x)


def given_parts(parts: Sequence[Part], each: Mapping[str, Preprocessing]) -> tuple[Part, ...]:
    """Names of inputs, and shapes of samples as they come, for parts as the network takes them."""
    return tuple(Part(part.name, each[part.name].given_shape(part.shape)) if part.name in each else part for part in parts)


def packed_applied(parts: Sequence[Part], each: Mapping[str, Preprocessing], x: Array) -> Array:
    """Packed samples as the network takes them, ``parts``, of packed ones as they come."""
    return packed(parts, each_applied(each, divided(x, given_parts(parts, each)))) if each else x
