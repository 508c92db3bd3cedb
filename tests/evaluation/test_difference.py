"""What changed between two comparisons, and that noise is not taken for a change."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

import loihiconv as lc
from loihiconv.core.metric import RMSE
from loihiconv.demo import digits_cnn
from loihiconv.evaluation.difference import Figure, difference, newcombe
from loihiconv.evaluation.saved import SavedComparison
from tests.evaluation.good import converted, data
from tests.evaluation.test_saved import ANN, LEAST


@cache
def compared(timesteps: int, samples: int = 60) -> SavedComparison:
    _, _, x, y = data()
    found = lc.compare(digits_cnn(), converted(timesteps=timesteps), (x[:samples], y[:samples]), ["emulator"], explain=True)
    return SavedComparison.model_validate(json.loads(json.dumps(found.to_json(), allow_nan=False)))


def saved(**changed: Any) -> SavedComparison:
    return SavedComparison.model_validate({**LEAST, **changed})


def test_the_same_is_said_to_be() -> None:
    found = difference(compared(4), compared(4))
    assert found.same
    assert found.remarks() == ("the same: every figure that was measured is equal",)
    assert all(f.paired and f.interval95 == (0, 0) for f in found.figures)


def test_accuracy_is_paired_and_costs_and_layers_are_said() -> None:
    found = difference(compared(4), compared(8))
    emulator = found.figures[1]
    assert emulator.paired
    assert emulator.loss == pytest.approx(compared(4).backends["emulator"].value - compared(8).backends["emulator"].value)
    assert [(c.before, c.after) for c in found.costs if c.name in ("time steps", "cores")] == [(4, 8), (11, 11)]
    assert all(pair.after < pair.before for pair in found.layers)
    assert [(s.name, s.before, s.after) for s in found.settings] == [("timesteps", 4, 8)]
    assert {"Verdict", "Cost", "Relative error of layers"} <= {table.title for table in found.tables()}
    assert all(len(line) <= 78 for table in found.tables() for line in table.text().splitlines())


def test_other_samples_are_not_paired() -> None:
    found = difference(compared(8), compared(8, 40))
    assert not any(f.paired for f in found.figures)
    assert any(remark.startswith("not paired") for remark in found.remarks())
    assert found.figures[1].cells()[5] == "60, 40"


def test_newcombe_gives_his_own_example() -> None:
    from loihiconv.evaluation.metrics import wilson

    assert newcombe(56 / 70, wilson(56, 70), 48 / 80, wilson(48, 80)) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(("loss", "word"), [(0.5, "worse"), (-0.5, "better")])
def test_an_error_that_grows_is_worse(loss: float, word: str) -> None:
    figure = Figure("emulator", RMSE, 1.0, 1.0 + loss, (9, 9), loss, (loss - 0.1, loss + 0.1), paired=True)
    assert str(figure) == f"emulator: RMSE {'+' if loss > 0 else '−'}0.5000, measurably {word}"


def test_what_one_lacks_is_noted() -> None:
    other = saved(task="regression", backends={"ann": {**ANN, "metric": "rmse"}, "lava": {**ANN, "metric": "rmse"}})
    found = difference(saved(), other)
    assert not found.same
    assert found.figures == ()
    assert found.notes == (
        "back end only before: emulator",
        "back end only after: Lava CPU",
        "float ANN: accuracy before and RMSE after cannot be compared",
    )
    assert json.dumps(found.to_json(), allow_nan=False)
