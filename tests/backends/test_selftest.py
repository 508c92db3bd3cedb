"""The self-test of a deployed folder, from Python; what it compares is in test_deploy.py."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from loihiconv.backends.selftest import run_selftest
from loihiconv.core.errors import BackendUnavailable, InvalidSetting


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One whose self-test repeats what it was told, and ends as the file ``code`` beside it says."""
    monkeypatch.setenv("LOIHICONV_LAVA_PYTHON", sys.executable)
    here = tmp_path / "my bundle"
    here.mkdir()
    program = here / "run.sh"
    program.write_text('#!/bin/sh\necho "$* with $PYTHON"\necho "error: said aside" >&2\nexit "$(cat "$(dirname "$0")/code")"\n')
    program.chmod(0o755)
    return here


@pytest.mark.parametrize(("code", "passed"), [(0, True), (1, False)])
def test_what_it_says_and_whether_it_passed(folder: Path, code: int, passed: bool) -> None:
    (folder / "code").write_text(str(code))
    found = run_selftest(folder, simulate=True)
    assert found.passed is passed
    assert repr(found) == f"selftest --simulate with {sys.executable}\nerror: said aside"


def test_no_board_is_an_error(folder: Path) -> None:
    (folder / "code").write_text("3")
    with pytest.raises(BackendUnavailable, match=r"^self-test: said aside; simulate=True needs none$"):
        run_selftest(folder)


def test_no_deployed_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="no deployed folder"):
        run_selftest(tmp_path)
