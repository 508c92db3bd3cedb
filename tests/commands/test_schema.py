"""The schema of files of settings: of every option that there is, and of nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from jsonschema import Draft7Validator

from loihiconv.commands.app import app
from loihiconv.commands.configuration import options_of, read_config
from loihiconv.commands.init import written
from loihiconv.commands.schema import NAME, schema_of
from loihiconv.core.errors import InvalidSetting

GROUP = typer.main.get_command(app)
COMMANDS = dict(options_of(GROUP))
VALIDATOR = Draft7Validator(schema_of(GROUP))


def test_it_has_every_key_that_files_may_have() -> None:
    Draft7Validator.check_schema(VALIDATOR.schema)
    properties = VALIDATOR.schema["properties"]
    for name, options in COMMANDS.items():
        if options and name != "run":  # which is an option of deploy, too
            assert properties[name]["properties"].keys() == options.keys(), name
    assert properties.keys() == {name for name, options in COMMANDS.items() if options} | {k for o in COMMANDS.values() for k in o}
    assert all(value.get("description") for value in properties["convert"]["properties"].values())
    timesteps = properties["convert"]["properties"]["timesteps"]
    assert (timesteps["minimum"], timesteps["default"]) == (1, 32)


def test_what_init_writes_keeps_to_it(run, tmp_path: Path) -> None:
    text = written("nets:lenet", "mnist.npz", Path("lenet.pt"), "kapoho_point", 32, None)
    uncommented = re.sub(r"^# (?=[a-z-]+: )(?!yaml-)", "", text, flags=re.MULTILINE)
    assert "hold-back" in yaml.safe_load(uncommented)
    for given in (text, uncommented):
        assert not [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(given))]
    out = tmp_path / "lenet.yaml"
    assert run("init", "nets:lenet", "mnist.npz", "--out", out)[0] == 0
    assert out.read_text().startswith(f"# yaml-language-server: $schema={NAME}\n")
    assert json.loads((tmp_path / NAME).read_text()) == VALIDATOR.schema == json.loads(run("schema")[1])


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{timesteps: 8, scale: mse, percentile: 0, bias-correction: no, per_channel: 'yes', weights: }",
        "{mean: [0.1, 0.2], std: 0.3, shape: [[1, 28, 28], 3], backends: [float, emulator]}",
        "sweep: {timesteps: [8, 16], percentile: [99, none], scale: [mse, percentile], reset: 'subtract,zero', on: test}",
        "run: {backend: lava, realization: lif}",
        "run: true",
    ],
)
def test_what_files_may_say(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    read_config(tmp_path / "a.yaml", COMMANDS)
    values = yaml.safe_load(text)
    for section in values.values():
        if isinstance(section, dict) and True in section:  # as YAML 1.1 has "on", and editors do not
            section["on"] = section.pop(True)
    assert not [error.message for error in VALIDATOR.iter_errors(values)]


@pytest.mark.parametrize(
    "values",
    [
        {"timestep": 8},
        {"convert": {"sample": 3}},
        {"timesteps": 0},
        {"timesteps": "many"},
        {"scale": "largest"},
        {"percentile": 101},
        {"bias-correction": "perhaps"},
        {"sweep": {"timesteps": [8, "many"]}},
        {"sweep": {"scale": ["largest"]}},
        {"task": "guessing"},
    ],
)
def test_what_editors_mark(values: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(values)


def test_keys_that_no_command_has_are_refused_by_both(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("json: yes")
    with pytest.raises(InvalidSetting, match="unknown key 'json'"):
        read_config(tmp_path / "a.yaml", COMMANDS)
    assert not VALIDATOR.is_valid({"json": True})
