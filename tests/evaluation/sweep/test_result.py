"""Which points of a sweep are worth their cost, and what to beware of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.metric import RMSE
from tests.evaluation.sweep.made_up import made_up


def test_fronts() -> None:
    result = made_up()
    assert result.front("timesteps") == (0, 2, 3, 4)
    assert result.front("synaptic_operations") == (0, 3, 4)
    with pytest.raises(InvalidSetting, match="cost 'energy'"):
        result.front("energy")  # type: ignore[arg-type]
    assert "tuning on test data" in result.caution


def test_rows_as_cells() -> None:
    header, rows = made_up().cells()
    assert header[:3] == ["T", "scales", "acc. %"]
    assert rows[0][2:4] == ["95.00", "91.0-97.3"]
    assert rows[1] == ["8", "channel", "75.00", "68.6-80.5", "90.00", "20.00", "900", "10.0", "T ops"]
    assert rows[3][6:] == ["1.70M", "10.0", "T"]
    assert rows[6][-1] == "failed"


def test_a_result_shows_itself() -> None:
    result = made_up()
    assert repr(result) == (
        "<SweepResult, kapoho_point: 6 of 6 points on 200 test samples of timesteps 8, 16, 32, per_channel channel, layer: "
        "accuracy 94.50 % at best, 95.00 % of the float network>"
    )
    assert result.summary().splitlines()[1].split() == [
        "T",
        "scales",
        "acc.",
        "%",
        "95",
        "%",
        "as",
        "ANN",
        "loss",
        "ops",
        "firing",
        "front",
    ]
    assert result.summary().splitlines()[-2:] == [*result.reasons, result.caution]
    html = result._repr_html_()
    assert html.count("<tr>") == 8
    assert "3: too large" in html
    assert "94.50" in html
    nothing = replace(result, rows=(), points=0, axes={"timesteps": (8,)}, board="", metric=RMSE)
    assert repr(nothing) == "<SweepResult, float: 0 of 0 points on 200 test samples: RMSE 0.9500 of the float network>"
