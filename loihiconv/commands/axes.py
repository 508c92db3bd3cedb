"""The options of a sweep: every setting of a conversion, with several values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from loihiconv.commands.conversion import OPTIONS
from loihiconv.conversion.settings import Settings
from loihiconv.core.errors import InvalidSetting

DEFAULT_STEPS = "8,16,32,64"
HINTS = get_type_hints(Settings)


def with_axes(command: Callable[..., None]) -> Callable[..., None]:
    """Replace a command's first parameter, {axis: values}, by one option for each axis, or two flags for a yes or no."""
    own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in list(inspect.signature(command, eval_str=True).parameters.values())[1:]]
    added = list(_parameters())

    @wraps(command)
    def wrapper(**arguments: Any) -> None:
        chosen = {p.name: arguments.pop(p.name) for p in added}
        command(_axes(chosen), **arguments)

    wrapper.__signature__ = inspect.Signature([*own, *added])  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in (*own, *added)}
    del wrapper.__wrapped__  # or its signature would be seen
    return wrapper


def parse(name: str, text: str, hint: Any) -> list[Any]:
    """Values of an axis, separated by commas.

    Parameters
    ----------
    name : str
    text : str
    hint : type
        Of one value: int, float, ``float | None`` (0 or none stands for None) or, for all others, text.
    """
    values: list[Any] = []
    for part in (p.strip() for p in text.split(",") if p.strip()):
        try:
            values.append(_value(part, hint))
        except ValueError as error:
            expected = "whole numbers" if hint is int else "numbers"
            raise InvalidSetting(f"{part!r}", where=option(name), limit=f"{expected} separated by commas expected") from error
    if not values:
        raise InvalidSetting(f"{text!r}", where=option(name), limit="values separated by commas expected")
    return values


def _value(text: str, hint: Any) -> Any:
    if hint is int:
        return int(text)
    if hint == float | None and text.lower() in ("0", "none"):
        return None
    return float(text) if hint in (float, float | None) else text


def option(name: str) -> str:
    """How an axis is written on the command line."""
    return "--" + name.replace("_", "-")


def _parameters() -> Iterator[inspect.Parameter]:
    yield _parameter("timesteps", str, DEFAULT_STEPS, "--timesteps", "-T", help="Time steps per sample, e.g. 8,16,32.")
    for name in HINTS:
        if name == "timesteps":
            continue
        information = OPTIONS[name].__metadata__[0] if name in OPTIONS else None
        help_text = information.help if information is not None else "See loihiconv.conversion.settings.Settings."
        if HINTS[name] is bool:
            for flag, suffix in zip(_flags(name, information), ("yes", "no"), strict=True):
                yield _parameter(f"{name}_{suffix}", bool, False, flag, help=f"{help_text} Give both flags to compare.")
        else:
            yield _parameter(name, str | None, None, option(name), help=help_text)
    yield _parameter("weight_bits", str | None, None, "--weight-bits", help="Bits of a weight, 2 to what the board has.")
    yield _parameter("optimize", str | None, None, "--optimize", help="default, accuracy, latency or none; see 'convert'.")


def _flags(name: str, information: Any) -> list[str]:
    """Both flags of a setting; typer keeps the first declaration of an annotated option where defaults stand otherwise."""
    declared = [] if information is None else [d for d in (information.default, *(information.param_decls or ())) if isinstance(d, str)]
    return declared[0].split("/") if declared else [option(name), f"--no-{name.replace('_', '-')}"]


def _parameter(name: str, kind: Any, default: Any, *flags: str, help: str) -> inspect.Parameter:
    hint = Annotated[kind, typer.Option(*flags, help=help, rich_help_panel="Axes: several values, separated by commas")]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)


def _axes(chosen: dict[str, Any]) -> dict[str, list[Any]]:
    axes: dict[str, list[Any]] = {}
    for name in ("timesteps", *(n for n in HINTS if n != "timesteps"), "weight_bits", "optimize"):
        if HINTS.get(name) is bool:
            values = [value for value, suffix in ((True, "yes"), (False, "no")) if chosen[f"{name}_{suffix}"]]
        else:
            text = chosen[name]
            values = [] if text is None else parse(name, text, int if name == "weight_bits" else HINTS.get(name))
        if values:
            axes[name] = values
    return axes
