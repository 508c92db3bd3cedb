"""Options from the declarations of settings: names, help, choices and defaults stand in `loihiconv.conversion.settings`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from loihiconv.conversion.declaration import Declaration


def setting_option(declared: Declaration, *, unset: bool = False) -> Any:
    """The option of a setting for typer: one value, or two flags for a yes or no.

    Values are checked where settings are made, which words its errors, so typer gets texts and numbers of any kind. ``unset`` says that
    the command gets None where nothing is given, so that help has to name the default that this leads to.
    """
    names = [f"{declared.option}/{declared.opposite}"] if declared.kind is bool else [declared.option]
    if declared.setting.short:
        names.append(declared.setting.short)
    return typer.Option(
        *names,
        help=help_text(declared),
        metavar="|".join(declared.choices) or None,
        autocompletion=_completion(declared.choices) if declared.choices else None,
        show_default=_default(declared) if unset else True,
    )


def setting_type(declared: Declaration) -> Any:
    """What typer makes of an option's text, or None where it is not given."""
    return declared.kind | None


def help_text(declared: Declaration) -> str:
    """Help for a terminal: what a setting means, its range, and what 0 stands for."""
    s = declared.setting
    limited = s.high is not None and declared.kind is not bool and s.high < 2**31
    limits = f"{declared.values[0].upper()}{declared.values[1:]}." if limited else ""
    none = f"0 {s.none}." if declared.optional and s.none else ""
    return " ".join(part for part in (s.help, limits, none) if part)


def none_if_zero(declared: Declaration, value: Any) -> Any:
    """None for 0 where None may be given and 0 is out of range: options have no other way to say it."""
    return None if declared.optional and value == 0 and not declared.allows(0) else value


def _default(declared: Declaration) -> str:
    if declared.kind is bool:
        return (declared.option if declared.default else declared.opposite).removeprefix("--")
    return str(declared.default)


def _completion(choices: tuple[str, ...]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return complete
