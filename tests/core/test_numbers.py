"""Numbers as text, against texts written by hand."""

from __future__ import annotations

import math

import pytest

from loihiconv.core import numbers as n
from loihiconv.core.metric import ACCURACY, RMSE


def test_percentages() -> None:
    assert n.percent(0.97954) == "97.95\u00a0%"
    assert n.percent(-0.012, 1) == "−1.2\u00a0%"
    assert n.percent(-0.00001) == "0.00\u00a0%"
    assert n.percent(None) == n.percent(math.nan) == n.NONE
    assert n.share(0.5, 0) == "50 %"
    assert n.points(-0.0123) == "-1.23"


def test_losses_and_intervals() -> None:
    assert [n.change(ACCURACY, loss) for loss in (0.0, 0.0123, -0.0123)] == ["0", "−1.23", "+1.23"]
    assert n.change_interval(ACCURACY, (-0.01, 0.02)) == "−2.00 to 1.00"
    assert [n.change(RMSE, loss, 20.0) for loss in (0.0, 0.5, -0.5, 1e-6)] == ["0", "+0.500", "−0.500", "0"]
    assert n.change_interval(RMSE, (-0.5, 1e-9), 20.0) == "−0.500 to 0.000"
    assert (n.value(RMSE, 1.23456), n.figure(RMSE, 1.23456)) == ("1.235", "1.235")
    assert n.value_interval(RMSE, (1.0, 2.0)) == "1.00 to 2.00"
    assert (n.figure(ACCURACY, 0.5), n.figure_interval(RMSE, (1.0, 2.5))) == ("50.00 %", "[1.000, 2.500]")
    assert n.interval((-0.001, 0.02)) == "−0.10 to 2.00"
    assert n.bracketed((0.9894, 1.0)) == "[98.94, 100.00]"


def test_plain_numbers() -> None:
    assert n.number(-0.012345) == "−0.0123"
    assert n.number(math.inf) == n.number(None) == n.NONE
    assert (n.decimal(-1234.56, 1), n.decimal(-0.001, 2)) == ("−1,234.6", "0.00")
    assert n.count(1_735_549.2) == "1,735,549"
    assert n.count(None) == n.NONE


@pytest.mark.parametrize(
    ("value", "short", "compact"),
    [
        (999, "999", "999"),
        (12.34, "12.3", "12"),
        (1000, "1 k", "1.00k"),
        (450_000, "450 k", "450k"),
        (1_450_000, "1.45 M", "1.45M"),
        (2e9, "2 G", "2.00G"),
        (3e13, "30 T", "30.0T"),
    ],
)
def test_prefixes(value: float, short: str, compact: str) -> None:
    assert (n.short(value), n.compact(value)) == (short, compact)


def test_shapes_and_bytes() -> None:
    assert n.size((16, 8, 8)) == "16×8×8"
    assert n.size((16, 8, 8), "x") == "16x8x8"
    assert [n.in_bytes(b) for b in (100, 1536, 3 * 2**20)] == ["100 B", "1.5 KiB", "3 MiB"]


def test_values_of_any_kind() -> None:
    assert [n.setting(v) for v in (True, False, None, 99.9, "mse", 8)] == ["yes", "no", n.NONE, "99.9", "mse", "8"]
    assert n.setting(None, none="none") == "none"
    assert [n.quantity(v) for v in (1234.5678, [0.1, 0.2], True, 7)] == ["1,235", "0.1000 to 0.2000", "True", "7"]


def test_numbers() -> None:
    assert n.interval((-0.01, 0.02)) == "−1.00 to 2.00"
    assert n.percent(float("nan")) == n.percent(None) == n.NONE
    assert n.percent(-0.0004, 0) == "0\u00a0%"
    assert n.percent(-0.054, 1) == "−5.4\u00a0%"
    assert n.short(1_450_000) == "1.45 M"
    assert n.in_bytes(1536) == "1.5 KiB"
    assert n.count(12345.0) == "12,345"
