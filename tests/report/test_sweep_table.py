"""A sweep as a table."""

from __future__ import annotations

from loihiconv.report.sweep_table import cells, sweep_table
from tests.evaluation.sweep.made_up import made_up


def test_table() -> None:
    result = made_up()
    header, rows = cells(result)
    assert header[:3] == ["T", "scales", "acc. %"]
    assert rows[0][2:4] == ["95.00", "91.0-97.3"]
    assert rows[1] == ["8", "channel", "75.00", "68.6-80.5", "90.00", "20.00", "900", "10.0", "T ops"]
    assert rows[3][6:] == ["1.70M", "10.0", "T"]
    assert rows[6][-1] == "failed"
    lines = sweep_table(result).splitlines()
    assert lines[1] == "|" + " --: |" * len(header)
    assert lines[-1] == "T 32, scales layer: 3: too large"
