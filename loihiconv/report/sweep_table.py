"""A sweep's rows in Markdown."""

from __future__ import annotations

from loihiconv.core.tables import Table
from loihiconv.evaluation.sweep.result import SweepResult, check_result


def sweep_table(result: SweepResult) -> str:
    """A sweep's rows as a table in Markdown, and after it why points could not be converted."""
    check_result(result)
    return "\n\n".join([Table("", *result.cells()).markdown(left=0), *result.reasons])
