"""No command writes over what it reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from loihiconv.commands.app import app
from loihiconv.commands.outputs import WRITTEN, check_apart
from loihiconv.core.errors import InvalidSetting


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("digits.npz", "nets.py", "net.lnet"):
        (tmp_path / name).write_bytes(b"precious")
    (tmp_path / "link.lnet").symlink_to("digits.npz")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"calibration": "digits.npz", "out": Path("digits.npz")}, "--out digits.npz: is read by this command"),
        ({"calibration": "digits.npz", "out": Path("link.lnet")}, "--out link.lnet: is read"),
        ({"calibration": "digits.npz", "out": Path("../") / Path.cwd().name / "x"}, ""),
        ({"model": "nets.py:lenet", "html": Path("./nets.py")}, "--html nets.py: is read"),
        ({"network": Path("net.lnet"), "svg": Path("net.lnet")}, "--svg net.lnet: is read"),
        ({"html": Path("report"), "markdown": Path("report")}, "--markdown report: is written twice"),
        ({"html": Path("report.html"), "markdown": Path("report.md"), "net": None, "samples": 3}, ""),
        ({"board": "kapoho_point", "out": Path("kapoho_point")}, ""),
    ],
)
def test_what_is_read_is_not_written(folder: Path, arguments: dict[str, object], said: str) -> None:
    if not said:
        check_apart(arguments)
        return
    with pytest.raises(InvalidSetting) as caught:
        check_apart(arguments)
    assert str(caught.value).startswith(said)
    assert str(caught.value).endswith("choose another name")


def test_a_command_keeps_the_data(folder: Path) -> None:
    result = CliRunner().invoke(app, ["convert", "nets.py:lenet", "--calibration", "digits.npz", "-T", "4", "--out", "digits.npz"])
    assert isinstance(result.exception, InvalidSetting)
    assert (folder / "digits.npz").read_bytes() == b"precious"


def test_all_files_that_commands_write_are_known() -> None:
    writing = ("Write", "Where to write", "Folder to write", "Draw")
    options = [option for command in get_command(app).commands.values() for option in command.params]  # type: ignore[attr-defined]
    found = {option.name for option in options if str(getattr(option, "help", "")).startswith(writing)}
    assert found - {"picture"} == set(WRITTEN)  # that one is drawn as text
