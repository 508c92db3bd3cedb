"""Comparisons in files: what is none is refused in a line that says what it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loihiconv.core.errors import InvalidData
from loihiconv.evaluation.saved import read_comparison

ANN = {"metric": "accuracy", "value": 0.9, "interval95": [0.8, 0.95], "n": 100}
LEAST: dict[str, Any] = {
    "timesteps": 8,
    "board": "",
    "task": "classification",
    "backends": {"ann": ANN, "emulator": {**ANN, "value": 0.8}},
    "verdict": {
        "status": "good",
        "answers": [{"question": "Does it fit the board?", "answer": "no board", "status": "unknown", "details": []}],
    },
}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "holds [], no comparison"),
        ("{}", "holds the keys {}, no comparison"),
        ('{"rows": []}', "holds a sweep, no comparison"),
        (json.dumps({**LEAST, "timesteps": "x"}), "timesteps: input should be a valid integer"),
        (json.dumps({**LEAST, "backends": {"emulator": ANN}}), "backends: the float network is missing"),
        (json.dumps({**LEAST, "backends": {"ann": {**ANN, "value": float("nan")}}}), "is no JSON: NaN is no number"),
        (json.dumps({**LEAST, "backends": {"ann": {**ANN, "interval95": [1, 0]}}}), "backends.ann.interval95: its ends are the wrong way"),
        (json.dumps({**LEAST, "backends": {"ann": {**ANN, "metric": "m"}}}), "backends.ann.metric: 'm' is no metric of this version"),
        (json.dumps({**LEAST, "backends": {"ann": {**ANN, "judged": {"right": 1}}}}), "backends.ann.judged: not how samples were judged"),
    ],
)
def test_what_is_no_comparison(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(InvalidData, match=r"a.json: ") as caught:
        read_comparison(path)
    assert expected in str(caught.value)


def test_files_of_older_versions_and_of_verify(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        "\ufeff" + json.dumps({"holds": True, "requirements": [], "comparison": {**LEAST, "analysis": {"settings": {"scale": "mse"}}}})
    )
    assert read_comparison(path).all_settings == {
        "timesteps": 8,
        "board": "none",
        "task": "classification",
        "payload_max": 1,
        "scale": "mse",
    }
