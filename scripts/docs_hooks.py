"""What the documentation's site needs beyond Markdown: formulas as MathML, the commands' own help, and the table of settings.

mkdocs calls the functions whose names begin with ``on_``. Formulas are written as TeX and become MathML while the site is
built, so that pages need no script and no network to show them. ``<!-- commands -->`` on a page becomes all commands with their options,
read from the command line itself, and ``<!-- settings -->`` all settings of a conversion, read from their declarations.
"""

from __future__ import annotations

import re
from dataclasses import MISSING
from html import escape, unescape
from typing import Any

import typer
from latex2mathml.converter import convert

INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
DISPLAYED = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.DOTALL)
COMMANDS, SETTINGS = "<!-- commands -->", "<!-- settings -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the commands and the settings where a page asks for them."""
    for mark, text in ((COMMANDS, commands), (SETTINGS, settings)):
        if mark in markdown:
            markdown = markdown.replace(mark, text())
    return markdown


def on_page_content(html: str, **_: Any) -> str:
    """Turn TeX into MathML, and show docstrings' ``\\*`` as the star that it stands for."""
    html = html.replace("\\*", "*")
    html = INLINE.sub(lambda m: convert(unescape(m[1])), html)
    return DISPLAYED.sub(lambda m: convert(unescape(m[1]), display="block"), html)


def commands() -> str:
    """All commands of the command line in Markdown."""
    from loihiconv.commands.app import app

    group: Any = typer.main.get_command(app)
    return "\n\n".join(_command(name, command) for name, command in group.commands.items())


def settings() -> str:
    """All settings of a conversion as a table in Markdown."""
    from loihiconv.conversion.settings import DECLARED, OPTIMIZE

    rows = [_setting(declared) for declared in (*DECLARED.values(), OPTIMIZE)]
    return "\n".join(["| | values | default | |", "|---|---|---|---|", *rows])


def _setting(declared: Any) -> str:
    default = "" if declared.default is MISSING else f"`{declared.default!r}`"
    values = declared.values + (", or None" if declared.optional else "")
    none = f"None {declared.setting.none}." if declared.setting.none else ""
    described = " ".join(part for part in (declared.setting.help, declared.setting.details, none) if part)
    return f"| `{declared.name}` | {_cell(values)} | {default} | {_cell(described)} |"


def _cell(text: str) -> str:
    return escape(" ".join(text.split()), quote=False).replace("|", "\\|")


def _command(name: str, command: Any) -> str:
    text, _, example = (command.help or "").partition("Example:")
    usage = " ".join((p.metavar or p.name).upper() for p in command.params if p.param_type_name == "argument")
    lines = [f"## {name}", " ".join(text.split()), f"`loihiconv {name} {usage}`" if usage else f"`loihiconv {name}`"]
    if example:
        lines.append(f"For example `{' '.join(example.split())}`.")
    rows = [_row(p) for p in command.params]
    return "\n\n".join(lines) + "\n\n| | | default |\n|---|---|---|\n" + "\n".join(rows)


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        names, default = f"`{(parameter.metavar or parameter.name).upper()}`", ""
    else:
        names = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
        shown = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
        default = "" if shown in (None, False, "") or callable(shown) else f"`{shown}`"
    return f"| {names} | {_cell(parameter.help or '')} | {default} |"
