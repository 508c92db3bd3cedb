"""``loihiconv run``: back ends that are not there, and realizations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_without_lava_the_remedy_is_named(run, npz: Path, lnet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOIHICONV_LAVA_PYTHON", raising=False)
    monkeypatch.setattr("loihiconv.lava.client._has_lava", lambda: False)
    code, _, err = run("run", lnet, npz, "--backend", "lava", "--samples", 1)
    assert code == 3
    assert "pip install 'loihiconv[lava]'" in err
    assert "LOIHICONV_LAVA_PYTHON" in err


def test_a_run_on_a_board_that_is_not_there(run, npz: Path, lnet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOIHICONV_LAVA_PYTHON", "/nowhere/python")
    code, out, err = run("run", lnet, npz, "--backend", "loihi", "--realization", "atrlif", "--samples", 1)
    assert (code, out) == (3, "")
    assert len(err.splitlines()) == 1
    assert "backend loihi: no run on a Loihi is possible from here" in err


def test_run_shows_the_accuracy_of_a_realization(run, npz: Path, lnet: Path) -> None:
    code, out, err = run("run", lnet, npz, "--realization", "lif", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["realization"] == {"name": "lif", "quantized_again": True, "ratio": 8.0}
    assert 0 < found["accuracy"] <= 1
    code, _, err = run("run", lnet, npz, "--realization", "cuba")
    assert code == 2
