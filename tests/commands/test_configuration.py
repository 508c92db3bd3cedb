"""One file of settings for all commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

import loihiconv as lc
from loihiconv.commands.app import app
from loihiconv.commands.configuration import options_of, read_config, without_config
from loihiconv.core.errors import InvalidSetting

COMMANDS = dict(options_of(typer.main.get_command(app)))


@pytest.fixture
def settings(tmp_path: Path, npz: Path) -> Path:
    path = tmp_path / "digits.yaml"
    path.write_text(f"""
model: loihiconv.demo.model:digits_cnn
data: {npz}
calibration: {npz}
network: {tmp_path / "digits.lnet"}
calibration_samples: 100   # with either kind of line
samples: 20
timesteps: 4
bias-correction: no
convert: {{out: {tmp_path / "digits.lnet"}}}
sweep: {{timesteps: [2, 4], cache: {tmp_path / "cache.json"}}}
""")
    return path


def test_every_command_takes_what_concerns_it(run, settings: Path, tmp_path: Path) -> None:
    assert run("convert", "-c", settings)[0] == 0
    net = lc.load(tmp_path / "digits.lnet")
    assert (net.timesteps, net.record.settings["bias_correction"]) == (4, False)
    code, out, _ = run("run", f"--config={settings}", "--json")
    assert (code, json.loads(out)["n"]) == (0, 20)
    assert json.loads(run("compare", "-c", settings, "--json")[1])["timesteps"] == 4
    assert len(json.loads(run("sweep", "-c", settings, "--json")[1])["rows"]) == 2


@pytest.mark.parametrize(
    ("shape", "given"),
    [
        ("1,28,28", ["1,28,28"]),
        ("[1, 28, 28]", ["1,28,28"]),
        ("64", [64]),
        ("[image=1x28x28, 'vector=3']", ["image=1x28x28", "vector=3"]),
        ("[[1, 28, 28], 3, '4']", ["1,28,28", 3, "4"]),
    ],
)
def test_what_may_be_given_several_times_is_a_list(tmp_path: Path, shape: str, given: list[object]) -> None:
    path = tmp_path / "shape.yaml"
    path.write_text(f"shape: {shape}")
    assert read_config(path, COMMANDS)["check"] == {"shape": given}


def test_a_file_may_say_the_shape_of_samples(run, tmp_path: Path) -> None:
    path = tmp_path / "shape.yaml"
    path.write_text("{model: 'loihiconv.demo.model:digits_cnn', shape: [1, 8, 8]}")
    code, out, _ = run("check", "-c", path, "--json")
    assert (code, json.loads(out)["layers"][0]["shape"]) == (0, [1, 8, 8])
    path.write_text("{model: 'loihiconv.demo.model:digits_cnn', shape: 64}")
    assert run("check", "-c", path, "--json")[0] == 2


def test_what_is_typed_goes_first(run, settings: Path, tmp_path: Path) -> None:
    assert run("convert", "-c", settings, "-T", "2", "--out", tmp_path / "other.lnet")[0] == 0
    assert lc.load(tmp_path / "other.lnet").timesteps == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("timestep: 3", "unknown key 'timestep', did you mean 'timesteps'"),
        ("convert: {sample: 3}", "convert: unknown key 'sample'"),
        ("conversion: {out: x}", "no command 'conversion'"),
        ("timesteps: {a: 1}", "no command 'timesteps'"),
        ("timesteps: [[1]]", "timesteps: .*a list of these expected"),
        ("- timesteps", "holds .*'option: value' expected"),
        ("a: [", "is no YAML"),
        ("a: !!python/object/apply:os.system [ls]", "is no YAML"),
        ("\x00", "is no YAML"),
        ("timesteps: 2026-13-40 99:99", "^$|"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    if message == "^$|":  # a text like any other: the option says what is wrong with it
        read_config(path, COMMANDS)
        return
    with pytest.raises(InvalidSetting, match=message):
        read_config(path, COMMANDS)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="cannot be read"):
        read_config(tmp_path / "none.yaml", COMMANDS)
    huge = tmp_path / "huge.yaml"
    huge.write_bytes(b"#" * (2 << 20))
    with pytest.raises(InvalidSetting, match="larger than 1 MiB"):
        read_config(huge, COMMANDS)
    (tmp_path / "empty.yaml").touch()
    assert not any(read_config(tmp_path / "empty.yaml", COMMANDS).values())


def test_command_lines_without_it() -> None:
    assert without_config(["convert", "-T", "3"]) == (["convert", "-T", "3"], None)
    assert without_config(["convert", "-c", "x", "-T", "3"]) == (["convert", "-T", "3"], Path("x"))
    assert without_config(["run", "--", "-c", "x"]) == (["run", "--", "-c", "x"], None)
    for words in (["run", "-c"], ["run", "-c", "x", "--config=y"], ["run", "--config="]):
        with pytest.raises(InvalidSetting):
            without_config(words)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_a_line(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            read_config(path, COMMANDS)
        except InvalidSetting as error:
            assert "\n" not in str(error)  # noqa: PT017  either is fine


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("shape: 64", [64]),
        ("shape: 1,8,8", ["1,8,8"]),
        ("shape: [1, 8, 8]", ["1,8,8"]),
        ("check: {shape: ['image=1,8,8', 'vector=5']}", ["image=1,8,8", "vector=5"]),
    ],
)
def test_an_option_that_may_stand_several_times(tmp_path: Path, text: str, shapes: list[object]) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    assert read_config(path, COMMANDS)["check"] == {"shape": shapes}


def test_check_takes_its_shape_from_a_file(run, tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("model: loihiconv.demo.model:digits_cnn\nshape: 1,8,8\n")
    assert run("check", "-c", path)[0] == 0
