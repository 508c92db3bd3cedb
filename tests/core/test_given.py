"""What users give: values on both sides of each range, and words beside those that they were meant to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import check_callable, check_number, check_path, did_you_mean, several, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (1.5, "1.5"),
        ("a", "'a'"),
        ((1, "a"), "(1, 'a')"),
        (np.zeros((50, 50)), "a ndarray"),
        ([np.zeros(2)], "a list"),
        (object(), "an object"),
    ],
)
def test_values_take_part_of_a_line(value: Any, text: str) -> None:
    assert shown(value) == text
    assert len(shown("x\n" * 1000)) < 100
    assert "\n" not in shown("x\n" * 1000)


@pytest.mark.parametrize("value", [0, True, None, "", 1.5, ["a"]])
def test_paths_name_files(value: Any) -> None:
    check_path("a", "here")
    check_path(Path("a"), "here")
    with pytest.raises(InvalidSetting, match=r"here: .* is no path; a path expected"):
        check_path(value, "here")


@pytest.mark.parametrize("value", [0.99, float("nan"), True, None, "1", [1]])
def test_numbers_are_in_their_range(value: Any) -> None:
    for right in (1, 1.0, 1e9, np.float32(1), np.int64(2)):
        check_number(right, "here", low=1)
    with pytest.raises(InvalidSetting, match=r"here: .*; a number of at least 1 expected"):
        check_number(value, "here", low=1)


def test_an_end_may_be_out_of_range() -> None:
    check_number(1e-9, "here", low=0, above=True)
    with pytest.raises(InvalidSetting, match="here: 0; a number above 0 expected"):
        check_number(0, "here", low=0, above=True)


def test_functions_can_be_called() -> None:
    check_callable(None, "here")
    check_callable(print, "here")
    with pytest.raises(InvalidSetting, match="here: 5 cannot be called; a function expected, or None"):
        check_callable(5, "here")  # type: ignore[arg-type]


def test_a_word_is_no_list_of_words() -> None:
    assert several(["a", "b"], "here", "x") == ("a", "b") == several(iter("ab"), "here", "x")
    for value in ("ab", 5, None):
        with pytest.raises(InvalidSetting, match=r"here: .*; a list of names expected, such as x"):
            several(value, "here", "x")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("percentil", ", did you mean 'percentile'?"),
        ("Per-Channel", ", did you mean 'per_channel'?"),
        ("relu tree", ", did you mean 'relu-tree'?"),
        ("colour", ""),
        (5, ""),
    ],
)
def test_misspelt_names_are_told_what_they_may_have_been(name: object, hint: str) -> None:
    assert did_you_mean(name, ("percentile", "per_channel", "relu-tree")) == hint
