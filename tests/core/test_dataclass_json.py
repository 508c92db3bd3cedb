"""Dataclasses as JSON, and back along their type hints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest

from loihiconv.core.dataclass_json import Malformed, decode, encode
from loihiconv.core.linear import Array


@dataclass(frozen=True, eq=False)
class Inner:
    values: Array
    kind: Literal["a", "b"] = "a"


@dataclass(frozen=True, eq=False)
class Other:
    count: int


@dataclass(frozen=True, eq=False)
class Outer:
    parts: tuple[Inner | Other, ...]
    scales: Mapping[int, float]
    pair: tuple[int, str]
    note: str | None = None


OUTER = Outer((Inner(np.array([1, 2]), "b"), Other(3)), {4: 0.5}, (1, "x"))
JSON: dict[str, Any] = {
    "class": "Outer",
    "parts": [{"class": "Inner", "values": {"array": "parts.0.values.npy"}, "kind": "b"}, {"class": "Other", "count": 3}],
    "scales": {"4": 0.5},
    "pair": [1, "x"],
    "note": None,
}


def test_there_and_back() -> None:
    arrays: dict[str, Array] = {}
    assert encode(OUTER, "", arrays) == JSON
    assert {name: array.tolist() for name, array in arrays.items()} == {"parts.0.values.npy": [1, 2]}
    back = decode(JSON, Outer, "thing", arrays)
    first, second = back.parts
    assert isinstance(first, Inner)
    assert (first.values.tolist(), first.kind, second.count) == ([1, 2], "b", 3)
    assert (back.scales, back.pair, back.note) == ({4: 0.5}, (1, "x"), None)


def test_numpys_numbers_are_plain_ones() -> None:
    assert encode({"a": np.float64(0.5), 1: np.int32(2)}, "", {}) == {"a": 0.5, "1": 2}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": object()}, "x.a is a object; JSON cannot hold it"),
        ([1.0, float("inf")], "x.1 is inf; a finite number expected"),
        ({(1, 2): 3}, r"x has the key \(1, 2\); text or a whole number expected"),
        (np.array(["a"]), "x is an array of <U1; numbers expected"),
    ],
)
def test_what_json_cannot_hold_is_named(value: Any, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        encode(value, "x", {})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"note": 3}, "thing.note is 3, not a valid str"),
        ({"pair": [1]}, r"thing.pair is \[1\], not a valid"),
        ({"pair": [True, "x"]}, "thing.pair.0 is True, not a valid int"),
        ({"scales": {"04": 0.5}}, "thing.scales is"),
        ({"parts": [{"class": "Outer"}]}, "thing.parts.0 is of an unknown kind 'Outer'; Inner or Other expected"),
        ({"parts": [{"class": "Other", "count": 1, "more": 2}]}, "thing.parts.0 has an unknown field 'more'"),
        ({"parts": [{"class": "Other"}]}, "thing.parts.0 lacks its field 'count'"),
        ({"parts": [{"class": "Inner", "values": {"array": "no.npy"}}]}, "the array of thing.parts.0.values is missing"),
        ({"parts": []}, r"the thing does not use its member parts\.0\.values\.npy"),
    ],
)
def test_what_does_not_fit_the_type_hints_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(Malformed, match=message):
        decode({**JSON, **changes}, Outer, "thing", {"parts.0.values.npy": np.array([1, 2])})
