"""``loihiconv schema``: what may stand in a file of settings, as a JSON schema for editors.

It is made of the commands themselves: names, types, choices, ranges, help and defaults are those of their options and arguments.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer

from loihiconv.commands.configuration import Option, options_of
from loihiconv.commands.terminal import note, print_json
from loihiconv.conversion.declaration import Declaration
from loihiconv.conversion.settings import DECLARED
from loihiconv.core.files import check_writable, write_text

NAME = "loihiconv.schema.json"
"""Where files that ``loihiconv init`` writes look for it."""
DIALECT = "http://json-schema.org/draft-07/schema#"
YES_OR_NO = [True, False, "yes", "no", "on", "off", None]
"""YAML 1.1 takes all of them for yes or no, and editors that read YAML 1.2 the words for texts."""

Schema = dict[str, Any]


def schema(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="Write it to this file instead of standard output.")] = None,
) -> None:
    """Print the JSON schema of files of settings: with it editors complete keys, show their help and mark what is wrong.

    Example: loihiconv schema --out loihiconv.schema.json
    """
    found = schema_of(context.find_root().command)
    if out is None:
        print_json(found)
        return
    check_writable(out)
    write_schema(out, found)
    note(f"written: {out}")


def write_schema(path: Path, found: Schema) -> None:
    """Write a schema as a file."""
    write_text(path, json.dumps(found, indent=2) + "\n")


def schema_of(group: Any) -> Schema:
    """The schema of files for all commands of a command line: keys for all of them, and under a command's name those for it alone."""
    sections = {name: _section(group.commands[name], options) for name, options in options_of(group)}
    shared: dict[str, list[Schema]] = {}
    for section in sections.values():
        for key, value in section["properties"].items():
            shared.setdefault(key, []).append(value)
    everywhere = {key: _either(values) for key, values in shared.items()}
    named = {name: section for name, section in sections.items() if section["properties"]}
    both = {name: _either([section, everywhere[name]]) for name, section in named.items() if name in everywhere}
    properties = {**everywhere, **named, **both}
    return {"$schema": DIALECT, "title": "Settings of loihiconv", **_object(properties)}


def _section(command: Any, options: Mapping[str, Option]) -> Schema:
    parameters = inspect.signature(command.callback, eval_str=True).parameters
    help_line = (inspect.getdoc(command.callback) or "").partition("\n")[0]
    properties = {key: _property(parameters[option.name], option) for key, option in options.items() if option.name in parameters}
    return {"description": f"For '{command.name}' alone. {help_line}", **_object(properties)}


def _object(properties: dict[str, Schema]) -> Schema:
    """Keys may also have _ in place of -."""
    with_dash = sorted(key.replace("-", "_") for key in properties if "-" in key)
    others: Schema = {"patternProperties": {f"^({'|'.join(with_dash)})$": {}}} if with_dash else {}
    return {"type": ["object", "null"], "properties": properties, **others, "additionalProperties": False}


def _property(parameter: inspect.Parameter, option: Option) -> Schema:
    hint, info = get_args(parameter.annotation)[:2] if get_origin(parameter.annotation) is Annotated else (parameter.annotation, None)
    declared, default = DECLARED.get(parameter.name), parameter.default
    metavar = str(getattr(info, "metavar", None) or "")
    found = _several(metavar, declared) if metavar.endswith(",...") else _one(hint, metavar, declared, repeated=option.repeated)
    if help_text := getattr(info, "help", None):
        found["description"] = help_text
    if default is None and declared is not None and not metavar.endswith(",..."):
        default = declared.default
    if isinstance(default, (bool, int, float, str)) and default != "":
        found["default"] = default
    return found


def _one(hint: Any, metavar: str, declared: Declaration | None, *, repeated: bool) -> Schema:
    """What one value may be."""
    kinds = [kind for kind in get_args(hint) if kind is not NoneType] if get_origin(hint) in (Union, UnionType) else [hint]
    kind = kinds[0]
    if get_origin(kind) is Literal:
        return {"enum": [*get_args(kind), None]}
    if "|" in metavar:
        return {"enum": [*metavar.split("|"), None]}
    if kind is bool:
        return {"enum": YES_OR_NO}
    if kind in (int, float):
        return {"type": ["integer" if kind is int else "number", "null"], **(_range(declared) if declared else {})}
    if kind is Path:
        return {"type": ["string", "null"]}
    items = ["string", "number", "array"] if repeated else ["string", "number"]
    return {"type": ["string", "number", "array", "null"], "items": {"type": items}}


def _several(metavar: str, declared: Declaration | None) -> Schema:
    """Values of a sweep's axis: one, a list, or a text with commas."""
    what = metavar.removesuffix(",...")
    limits = _range(declared) if declared is not None else {}
    one, words = {
        "INTEGER": ({"type": "integer", **limits}, r"\d+"),
        "NUMBER": ({"anyOf": [{"type": "number", **limits}, {"enum": ["none"]}]}, r"[-+.\deE]+|none"),
    }.get(what, ({"enum": what.split("|")}, what))
    text = {"type": "string", "pattern": rf"^\s*({words})(\s*,\s*({words}))*\s*$"}
    return {"anyOf": [one, text, {"type": "array", "items": one, "minItems": 1}, {"type": "null"}]}


def _range(declared: Declaration) -> Schema:
    s = declared.setting
    found: Schema = {} if s.high is None else {"maximum": s.high}
    if s.above is not None and not declared.optional:
        found["exclusiveMinimum"] = s.above
    elif (low := s.low if s.above is None else s.above) is not None:  # 0 stands for None where that may be given
        found["minimum"] = low
    return found


def _either(values: list[Schema]) -> Schema:
    """What any of several commands takes under one key."""
    kinds = list(_distinct(values))
    if len(kinds) == 1:
        return values[0]
    described = next((value["description"] for value in values if "description" in value), "")
    return {"description": described, "anyOf": kinds}


def _distinct(values: list[Schema]) -> Iterator[Schema]:
    seen: list[Schema] = []
    for value in values:
        bare = {key: part for key, part in value.items() if key not in ("description", "default")}
        if bare not in seen:
            seen.append(bare)
            yield bare
