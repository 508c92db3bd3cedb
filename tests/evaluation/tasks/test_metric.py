"""Figures beside a task's own metric."""

from __future__ import annotations

import pytest

from loihiconv.core.metric import AUROC, R2, Metric
from loihiconv.evaluation.tasks.metric import Figure


@pytest.mark.parametrize(
    ("metric", "value", "interval", "cells"),
    [
        (AUROC, 0.98984, (0.98150, 0.99796), ["AUROC", "98.98 %", "[98.15, 99.80]"]),
        (R2, 0.99, (0.988, 0.9919), ["R²", "0.9900", "[0.9880, 0.9919]"]),
    ],
)
def test_a_row_of_a_table(metric: Metric, value: float, interval: tuple[float, float], cells: list[str]) -> None:
    assert Figure(metric, value, interval).cells() == cells
