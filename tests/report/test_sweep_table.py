"""A sweep as a table in Markdown."""

from __future__ import annotations

from loihiconv.report.sweep_table import sweep_table
from tests.evaluation.sweep.made_up import made_up


def test_table() -> None:
    result = made_up()
    lines = sweep_table(result).splitlines()
    assert lines[1] == "|" + " --: |" * len(result.cells()[0])
    assert lines[-1] == "T 32, scales layer: 3: too large"
