"""Axes and metrics as cells."""

from __future__ import annotations

from dataclasses import replace

from loihiconv.core.metric import ACCURACY, RMSE
from loihiconv.evaluation.sweep.columns import axis_value, heading, measure, measured_interval, outcome_cells, value
from tests.evaluation.sweep.made_up import made_up


def test_names_and_values_are_short() -> None:
    assert [heading(name) for name in ("timesteps", "hold_back", "weight_bits")] == ["T", "hold back", "bits"]
    assert [axis_value("per_channel", given) for given in (True, False)] == ["channel", "layer"]
    assert axis_value("percentile", None) == "none"
    row = made_up().rows[0]
    assert value(row, "timesteps") == "8"
    assert row.outcome is not None
    assert value(replace(row, outcome=replace(row.outcome, timesteps=5)), "timesteps") == "8 -> 5"


def test_what_is_no_share_is_in_its_own_unit() -> None:
    assert (measure(ACCURACY), measure(RMSE)) == ("acc. %", "RMSE")
    assert measured_interval(RMSE, (0.12345, 1.5)) == "0.123-1.5"
    outcome = made_up().rows[0].outcome
    assert outcome is not None
    assert outcome_cells(RMSE, replace(outcome, agreement=None), "T") == ["0.75", "0.686-0.805", "", "0.2", "900", "10.0", "T"]
