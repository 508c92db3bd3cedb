"""The options of a sweep: every setting of a conversion, with several values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Annotated, Any

import typer

from loihiconv.commands.setting_options import help_text, none_if_zero
from loihiconv.commands.signature import with_parameters
from loihiconv.conversion.declaration import Declaration
from loihiconv.core.errors import InvalidSetting
from loihiconv.evaluation.sweep.declarations import AXES

DEFAULT_STEPS = "8,16,32,64"
PANEL = "Axes: several values, separated by commas"


def with_axes(command: Callable[..., None]) -> Callable[..., None]:
    """Replace a command's first parameter, {axis: values}, by one option for each axis, or two flags for a yes or no."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    added = [parameter for declared in AXES.values() for parameter in _parameters(declared)]

    @wraps(command)
    def wrapper(**arguments: Any) -> None:
        chosen = {p.name: arguments.pop(p.name) for p in added}
        axes = {name: values for name, declared in AXES.items() if (values := _values(declared, chosen))}
        command(axes, **arguments)

    return with_parameters(wrapper, (*own, *added))


def parse(declared: Declaration, text: str) -> list[Any]:
    """Values of an axis, separated by commas; 0 or none stands for None where that may be given."""
    values: list[Any] = []
    for part in (p.strip() for p in text.split(",") if p.strip()):
        try:
            value = None if declared.optional and part.lower() == "none" else declared.kind(part)
        except ValueError as error:
            expected = "whole numbers" if declared.kind is int else "numbers"
            raise InvalidSetting(f"{part!r}", where=declared.option, limit=f"{expected} separated by commas expected") from error
        values.append(none_if_zero(declared, value))
    if not values:
        raise InvalidSetting(f"{text!r}", where=declared.option, limit="values separated by commas expected")
    return values


def _parameters(declared: Declaration) -> Iterator[inspect.Parameter]:
    if declared.kind is bool:
        for suffix, flag in (("yes", declared.option), ("no", declared.opposite)):
            yield _parameter(f"{declared.name}_{suffix}", bool, False, flag, help=f"{help_text(declared)} Give both flags to compare.")
        return
    names = [name for name in (declared.option, declared.setting.short) if name]
    kind = "|".join(declared.choices) or ("INTEGER" if declared.kind is int else "NUMBER")
    default = DEFAULT_STEPS if declared.name == "timesteps" else None
    yield _parameter(declared.name, str | None, default, *names, help=help_text(declared), metavar=f"{kind},...")


def _parameter(name: str, kind: Any, default: Any, *flags: str, **more: Any) -> inspect.Parameter:
    hint = Annotated[kind, typer.Option(*flags, rich_help_panel=PANEL, **more)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)


def _values(declared: Declaration, chosen: dict[str, Any]) -> list[Any]:
    if declared.kind is bool:
        return [value for value, suffix in ((True, "yes"), (False, "no")) if chosen[f"{declared.name}_{suffix}"]]
    text = chosen[declared.name]
    return [] if text is None else parse(declared, text)
