"""Bars are seen on terminals and in notebooks, and nowhere else."""

from __future__ import annotations

import io
import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.progress import Bars, reporting, spent


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    stream = Terminal()
    # pytest sets sys.stderr anew between fixture and test.
    monkeypatch.setattr("loihiconv.core.progress.sys", SimpleNamespace(stderr=stream, modules={}))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("loihiconv.core.progress.PAUSE", 0)
    return stream


def test_a_terminal_has_one_line_that_goes_away(terminal: Terminal) -> None:
    with Bars() as bars:
        bars("calibration", 500, 1000)
        seen = terminal.getvalue()
        assert seen.startswith("\rcalibration")
        assert abs(seen.count("━") - seen.count("╌")) <= 1 < seen.count("━")
        assert "500 of 1,000, 0 s, 0 s left" in seen
        assert len(seen) <= 80  # with the carriage return
        bars("calibration", 1000, 1000)
        assert _screen(terminal) == ""
        bars("bias correction", 1, 4)
        assert "bias correction" in _screen(terminal)
    assert _screen(terminal) == ""


def test_a_terminal_that_does_not_know_its_width_has_80_columns(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((0, 0)))
    Bars()(5, 10)
    assert terminal.getvalue().startswith("\rsamples ")
    assert len(terminal.getvalue()) <= 80
    assert terminal.getvalue().endswith(" left")


def test_where_the_number_is_not_known_none_is_shown(terminal: Terminal) -> None:
    Bars()("calibration", 64, 0)
    assert "64, 0 s" in _screen(terminal)
    assert "━" not in terminal.getvalue()


def test_nothing_is_written_where_nobody_sees_it(capsys: pytest.CaptureFixture[str]) -> None:
    with Bars() as bars:
        bars("calibration", 1, 2)
        bars(2, 2)
    assert capsys.readouterr() == ("", "")


def test_a_notebook_has_a_line_for_each_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    handle = SimpleNamespace(update=shown.append)
    display = SimpleNamespace(HTML=str, display=lambda element, display_id: [shown.append(element), handle][1])
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1)))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    bars = Bars()
    bars("calibration", 10, 100)
    bars("calibration", 100, 100)
    bars("<emulator>", 0, 5)
    assert '<progress value="10" max="100"' in shown[0]
    assert "<progress" not in shown[1]
    assert "100 of 100" in shown[1]
    assert shown[2].count("<div>") == 2
    assert "&lt;emulator&gt;" in shown[2]


def test_pictures_are_not_drawn_faster_than_they_are_seen(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loihiconv.core.progress.PAUSE", 60)
    bars = Bars()
    for done in range(50):
        bars("emulator", done, 50)
    assert terminal.getvalue().count("emulator") == 1


def test_true_is_bars_and_a_function_is_itself() -> None:
    assert isinstance(reporting(True), Bars)
    assert reporting(print) is print
    assert reporting(None) is reporting(False) is None
    with pytest.raises(InvalidSetting, match="progress: 5 cannot be called"):
        reporting(5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("done", "seconds", "said"),
    [(250, 60.0, "250 of 1,000, 1:00 min, 3:00 min left"), (0, 2.0, "0 of 1,000, 2 s"), (1000, 5.0, "1,000 of 1,000, 5 s")],
)
def test_time_left_is_at_the_same_pace(done: int, seconds: float, said: str) -> None:
    assert spent(done, 1000, seconds) == said


def _screen(terminal: Any) -> str:
    """What the last line shows, once carriage returns have been followed."""
    line = ""
    for part in terminal.getvalue().split("\r"):
        line = part + line[len(part) :]
    return line.strip()
