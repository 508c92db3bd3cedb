"""Which Python runs Lava, whichever there are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from loihiconv.core.errors import BackendUnavailable
from loihiconv.lava import interpreter


@pytest.fixture(autouse=True)
def _nothing_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(interpreter.PYTHON_VARIABLE, raising=False)
    monkeypatch.setenv(interpreter.HOME_VARIABLE, str(tmp_path / "lava"))


def has(monkeypatch: pytest.MonkeyPatch, *, lava: bool, version: tuple[int, int]) -> None:
    monkeypatch.setattr(interpreter, "_has_lava", lambda: lava)
    monkeypatch.setattr(sys, "version_info", (*version, 1))


def test_this_one_where_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, lava=True, version=(3, 10))
    assert interpreter.find_python() == sys.executable


@pytest.mark.parametrize(("lava", "version"), [(False, (3, 10)), (True, (3, 12)), (False, (3, 13))])
def test_the_installed_one_where_this_cannot(monkeypatch: pytest.MonkeyPatch, lava: bool, version: tuple[int, int]) -> None:
    has(monkeypatch, lava=lava, version=version)
    with pytest.raises(BackendUnavailable, match=r"run 'loihiconv lava install'.*LOIHICONV_LAVA_PYTHON"):
        interpreter.find_python()
    installed = interpreter.environment_python()
    installed.parent.mkdir(parents=True)
    installed.touch()
    assert interpreter.find_python() == str(installed)


def test_lava_on_a_newer_python(monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, lava=True, version=(3, 12))
    with pytest.raises(BackendUnavailable, match=r"fails to import on this Python 3\.12; it needs 3\.10"):
        interpreter.find_python()


def test_the_one_that_is_named_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, lava=True, version=(3, 10))
    monkeypatch.setenv(interpreter.PYTHON_VARIABLE, "/nowhere/python")
    with pytest.raises(BackendUnavailable, match="LOIHICONV_LAVA_PYTHON: /nowhere/python is no program"):
        interpreter.find_python()
    assert interpreter.find_python("/bin/sh") == "/bin/sh"


def test_where_the_environment_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert interpreter.environment_folder() == tmp_path / "lava"
    monkeypatch.delenv(interpreter.HOME_VARIABLE)
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert interpreter.environment_folder() == Path("/data/loihiconv/lava")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/home/user")
    assert interpreter.environment_folder() == Path("/home/user/.local/share/loihiconv/lava")
