"""Numbers as text."""

from __future__ import annotations

from loihiconv.report import numbers as n


def test_numbers() -> None:
    assert n.signed_points(0.0) == "0"
    assert n.signed_points(0.25278) == "+25.28"
    assert n.signed_points(-0.001) == "−0.10"
    assert n.interval((-0.01, 0.02)) == "−1.00 to 2.00"
    assert n.percent(float("nan")) == n.percent(None) == n.NONE
    assert n.percent(-0.0004, 0) == "0\u00a0%"
    assert n.percent(-0.054, 1) == "−5.4\u00a0%"
    assert n.short(1_450_000) == "1.45 M"
    assert n.in_bytes(1536) == "1.5 KiB"
    assert n.count(12345.0) == "12,345"
