"""Ticks of axes."""

from __future__ import annotations

from loihiconv.report.axes import horizontal, nice_step


def test_ticks() -> None:
    assert nice_step(1.0, 5) == 0.2
    assert nice_step(64, 5) == 20
    assert [text for _, text in horizontal(0, 1, "x", percent=True).ticks()] == ["0", "20", "40", "60", "80", "100"]
    assert [text for _, text in horizontal(-0.4, 0.4, "x").ticks(4)] == ["−0.4", "−0.2", "0.0", "0.2", "0.4"]
