"""Options of the command line come from the declarations of settings, and from nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from loihiconv.commands.app import app
from loihiconv.commands.setting_options import none_if_zero
from loihiconv.conversion.settings import DECLARED
from loihiconv.evaluation.sweep.declarations import AXES

GROUP: Any = typer.main.get_command(app)


def parameters(command: str) -> dict[str, Any]:
    return {parameter.name: parameter for parameter in GROUP.commands[command].params}


@pytest.mark.parametrize("command", ["convert", "compare"])
@pytest.mark.parametrize("name", [name for name in DECLARED if name != "timesteps"])
def test_every_setting_has_an_option_with_its_help(command: str, name: str) -> None:
    declared, option = DECLARED[name], parameters(command)[name]
    assert option.opts == [declared.option]
    assert option.secondary_opts == ([declared.opposite] if declared.kind is bool else [])
    assert option.help.startswith(declared.setting.help)
    assert option.default is None
    assert option.metavar == ("|".join(declared.choices) or None)
    shown = (declared.option if declared.default else declared.opposite)[2:] if declared.kind is bool else str(declared.default)
    assert option.show_default == shown


@pytest.mark.parametrize("name", list(AXES))
def test_every_axis_has_an_option_with_its_help(name: str) -> None:
    declared, found = AXES[name], parameters("sweep")
    options = [found[f"{name}_yes"], found[f"{name}_no"]] if declared.kind is bool else [found[name]]
    assert all(option.help.startswith(declared.setting.help) for option in options)
    names = [option for parameter in options for option in parameter.opts]
    assert names == [n for n in (declared.option, declared.setting.short, declared.opposite if declared.kind is bool else "") if n]


def test_defaults_of_check_are_those_of_conversions() -> None:
    assert parameters("check")["maxpool"].default == DECLARED["maxpool"].default


def test_zero_stands_for_none_where_it_is_no_value() -> None:
    assert none_if_zero(DECLARED["percentile"], 0.0) is None
    assert none_if_zero(DECLARED["hold_back"], 0.0) == 0.0
    assert none_if_zero(AXES["weight_bits"], 0) is None
