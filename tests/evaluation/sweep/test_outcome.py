"""Rows go through JSON and come back as they were, or are refused."""

from __future__ import annotations

import json

import pytest

from loihiconv.core.errors import ArtifactError
from loihiconv.evaluation.sweep.outcome import Row
from tests.evaluation.sweep.made_up import made_up


def test_rows_come_back_from_json() -> None:
    for row in made_up().rows:
        assert Row.from_json(json.loads(json.dumps(row.to_json())), row.values) == row


@pytest.mark.parametrize("change", [{"value": 2.0}, {"n": None}, {"loss": True}, {"low": float("nan")}])
def test_altered_rows_are_refused(change: dict[str, object]) -> None:
    stored = made_up().rows[0].to_json()
    stored["outcome"].update(change)
    with pytest.raises(ArtifactError, match="is altered"):
        Row.from_json(stored, {})
