"""Declarations of settings: types and limits are checked, and said in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest

from loihiconv.conversion.declaration import Declaration, Setting, declaration, declarations, described, numpydoc, plain
from loihiconv.core.errors import InvalidSetting


@dataclass(frozen=True)
class Example:
    """Settings of every kind."""

    steps: int = field(metadata=described("Steps.", low=1, short="-T"))
    bits: int = field(default=1, metadata=described("Bits.", low=1, high=8))
    seed: int = field(default=0, metadata=described("Of all that is random.", low=0, high=2**64 - 1))
    share: float = field(default=0.5, metadata=described("Share.", low=0, high=4, unit="thresholds"))
    part: float | None = field(
        default=None, metadata=described("Part.", above=0, high=100, none="takes all", remedy="99 suits most", details="More of it.")
    )
    rule: Literal["mean", "max"] = field(default="mean", metadata=described("Rule."))
    each: bool = field(default=True, metadata=described("Each.", opposite="all"))


EXAMPLE = declarations(Example)


@pytest.mark.parametrize(
    ("name", "allowed", "refused"),
    [
        ("steps", [1, 10**6, np.int64(3)], [0, -1, 1.0, True, None, "1", np.float32(1), np.array(3)]),
        ("bits", [1, 8], [0, 9]),
        ("seed", [0, 2**64 - 1, np.uint64(2**64 - 1)], [-1, 2**64]),
        ("share", [0, 4, 0.5, np.float32(0.25)], [-0.1, 4.1, float("nan"), float("inf"), False, "0.5", None]),
        ("part", [None, 0.1, 100], [0, 100.1, "all"]),
        ("rule", ["mean", "max"], ["min", "", None, 1, ("mean",)]),
        ("each", [True, False, np.bool_(True)], [0, 1, "yes", None]),
    ],
)
def test_values_of_each_kind(name: str, allowed: list[Any], refused: list[Any]) -> None:
    for value in allowed:
        EXAMPLE[name].check(value)
    for value in refused:
        with pytest.raises(InvalidSetting, match=f"{name}: {name} .* expected"):
            EXAMPLE[name].check(value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("steps", 0, "steps: steps 0; a whole number of at least 1 expected"),
        ("bits", 9, "bits: bits 9; a whole number from 1 to 8 expected"),
        ("seed", -1, "seed: seed -1; a whole number from 0 to 2^64 - 1 expected"),
        ("share", 5, "share: share 5; 0 to 4 thresholds expected"),
        ("part", 0, "part: part 0; above 0 and at most 100 expected; 99 suits most"),
        ("rule", "min", 'rule: rule \'min\'; "mean" or "max" expected'),
        ("each", 1, "each: each 1; True or False expected"),
    ],
)
def test_errors_say_what_the_limit_is_and_what_to_do(name: str, value: Any, message: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        EXAMPLE[name].check(value)
    assert str(caught.value) == message


def test_names_on_the_command_line() -> None:
    assert (EXAMPLE["each"].option, EXAMPLE["each"].opposite) == ("--each", "--all")
    assert declaration("in_turn", bool, Setting("In turn.")).opposite == "--no-in-turn"


def test_declarations_follow_the_fields() -> None:
    assert list(EXAMPLE) == ["steps", "bits", "seed", "share", "part", "rule", "each"]
    part, rule = EXAMPLE["part"], EXAMPLE["rule"]
    assert (part.kind, part.optional, part.default, part.choices) == (float, True, None, ())
    assert rule == Declaration("rule", str, ("mean", "max"), False, "mean", Setting("Rule."))


def test_docstring() -> None:
    lines = numpydoc(EXAMPLE.values()).splitlines()
    assert lines[:4] == ["Parameters", "----------", "steps : a whole number of at least 1", "    Steps."]
    assert "part : above 0 and at most 100, or None" in lines
    assert "    Part. More of it. None takes all." in lines


def test_numpy_scalars_become_plain() -> None:
    assert [type(plain(value)) for value in (np.int8(1), np.float64(1), np.bool_(1), 1, None)] == [int, float, bool, int, type(None)]
