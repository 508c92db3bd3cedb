"""Values of axes on the command line."""

from __future__ import annotations

import pytest

from loihiconv.commands.axes import parse
from loihiconv.core.errors import InvalidSetting
from loihiconv.evaluation.sweep.declarations import AXES


def test_values_of_each_kind() -> None:
    assert parse(AXES["timesteps"], "8, 16,") == [8, 16]
    assert parse(AXES["start"], "0,0.5") == [0.0, 0.5]
    assert parse(AXES["percentile"], "0,none,99.9") == [None, None, 99.9]
    assert parse(AXES["scale"], "mse,percentile") == ["mse", "percentile"]
    with pytest.raises(InvalidSetting, match="--hold-back: 'much'"):
        parse(AXES["hold_back"], "much")
