"""Functions by their names: found, called, and kept from writing to stdout and from ending the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from loihiconv.core.errors import InvalidData
from loihiconv.core.named import call, named

CODE = """
import sys
print("imported")
class A:
    @staticmethod
    def f(): print("called"); return 5
def exits(): sys.exit(0)
def fails(): raise ValueError("why")
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "named_of_test.py").write_text(CODE)
    (tmp_path / "exiting_of_test.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    return "named_of_test"


def test_stdout_stays_clean(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(named(f"{module}:A.f", "a function", InvalidData), "f", "it", InvalidData) == 5
    out, err = capsys.readouterr()
    assert (out, "called" in err) == ("", True)


def test_what_goes_wrong_is_one_line(module: str) -> None:
    for name, said in (
        ("exits", r"it ends the program \(exit 0\)"),
        ("fails", "it fails: ValueError: why; it must work without"),
    ):
        with pytest.raises(InvalidData, match=said):
            call(named(f"{module}:{name}", "a function", InvalidData), name, "it", InvalidData)
    for name, said in (
        ("nothing", "does not name a function"),
        (f"{module}:g", r"has no 'g'; it has: A, exits, fails"),
        ("no_such_module:f", "there is no module"),
        ("../folder/file:f", "neither a module.s name nor a Python file"),
        (".py_like:f", "neither a module.s name nor a Python file"),
        ("exiting_of_test:f", "cannot be imported: it ends the program"),
    ):
        with pytest.raises(InvalidData, match=said):
            named(name, "a function", InvalidData)


def test_a_file_is_named_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file_of_test.py").write_text(CODE)
    (tmp_path / "json.py").write_text("def f(): pass")
    monkeypatch.chdir(tmp_path.parent)
    assert call(named(f"{tmp_path.name}/file_of_test.py:A.f", "a function", InvalidData), "f", "it", InvalidData) == 5
    for name, said in (
        (f"{tmp_path.name}/other.py:f", "no such file"),
        (f"{tmp_path.name}/json.py:f", "another module is called 'json'.*rename the file"),
        (f"{tmp_path.name}/file_of_test.py:g", r"has no 'g'; it has: A, exits, fails"),
    ):
        with pytest.raises(InvalidData, match=said):
            named(name, "a function", InvalidData)
