"""Choices of a fine-tuning and their errors."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest

from loihiconv.core.errors import InvalidSetting
from loihiconv.finetuning.options import DECLARED, Tuning, TuningOptions


def test_type_checkers_know_all_of_them() -> None:
    hints = get_type_hints(Tuning)
    assert get_type_hints(TuningOptions) == {name: hints[name] for name in DECLARED if name != "timesteps"}


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("timesteps", 64, "from 1 to 63"),
        ("epochs", 0, "at least 1"),
        ("rate", 0.0, "above 0"),
        ("batch", 1.5, "whole number"),
        ("rates", "spike", "did you mean 'spikes'"),
        ("loss", "labels ", "outputs"),
        ("shift", -1, "at least 0"),
        ("flip", 2, "True or False"),
        ("seed", -1, "0 to"),
    ],
)
def test_what_is_out_of_range_is_refused(option: str, value: Any, said: str) -> None:
    given = {"timesteps": 4, option: value}
    with pytest.raises(InvalidSetting, match=f"{option}: .*{said}"):
        Tuning(**given)
