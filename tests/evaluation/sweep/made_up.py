"""A sweep's result with made-up outcomes."""

from __future__ import annotations

from loihiconv.core.metric import ACCURACY
from loihiconv.evaluation.metrics import wilson
from loihiconv.evaluation.pairing import tango
from loihiconv.evaluation.sweep.outcome import Outcome, Row
from loihiconv.evaluation.sweep.result import SweepResult


def made_up() -> SweepResult:
    """Six points with made-up outcomes, of which one failed."""

    def row(steps: int, per_channel: bool, correct: int, operations: float) -> Row:
        lost = (190 - correct, 0, 200)
        outcome = Outcome(steps, 200, correct / 200, *wilson(correct, 200), lost[0] / 200, *tango(*lost), 0.9, 0.1, operations)
        return Row({"timesteps": steps, "per_channel": per_channel}, {}, outcome)

    rows = (
        row(8, True, 150, 900.0),
        row(8, False, 140, 400e3),
        row(16, True, 180, 1.7e6),
        row(16, False, 180, 800e3),
        row(32, True, 189, 3.2e6),
        Row({"timesteps": 32, "per_channel": False}, {}, None, "3: too large"),
    )
    axes = {"timesteps": (8, 16, 32), "per_channel": (True, False)}
    return SweepResult(axes, rows, 6, "kapoho_point", "test", 200, "classification", ACCURACY, 0.95, wilson(190, 200), {})
