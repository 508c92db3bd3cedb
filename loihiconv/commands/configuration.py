"""One file of settings for all commands: ``-c lenet.yaml`` stands for the options that it names, and those that are typed go before it.

A key is an option, ``timesteps`` for ``--timesteps``, or an argument; it holds for every command that has it. What is for one command alone
stands under the command's name. A list is what is separated by commas on the command line; of an option that may be given several times,
texts and lists in it are given one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import did_you_mean, shown


class Option(NamedTuple):
    """What a command calls an option or argument, and whether it may be given several times."""

    name: str
    repeated: bool


Options: TypeAlias = Mapping[str, Option]
"""Of one command, by the names that a file calls them."""
FLAGS = ("-c", "--config")


def without_config(arguments: Sequence[str]) -> tuple[list[str], Path | None]:
    """A command line without ``-c FILE``, and the file."""
    rest: list[str] = []
    path = None
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if word == "--":
            return [*rest, word, *words], path
        if name not in FLAGS:
            rest.append(word)
            continue
        if path is not None:
            raise InvalidSetting("two files", where=name, limit="one expected")
        given = value if equals else next(words, "")
        if not given:
            raise InvalidSetting("no file", where=name, remedy=f"write {name} FILE; 'loihiconv init' makes one")
        path = Path(given)
    return rest, path


def read_config(path: Path, commands: Mapping[str, Options]) -> dict[str, dict[str, Any]]:
    """What a file says for each command: {command: {parameter: value}}.

    Raises
    ------
    InvalidSetting
        If it cannot be read, or a key is no option of any command.
    """
    content = _read(path)
    sections = {name: content.pop(name) for name in list(content) if isinstance(content[name], Mapping)}
    known = {key for options in commands.values() for key in options}
    for name in sections:
        if name not in commands:
            raise InvalidSetting(f"no command {shown(name)}{did_you_mean(name, commands)}", where=str(path), limit=", ".join(commands))
    for where, keys, options in [(str(path), content, known)] + [(f"{path}: {n}", s, commands[n]) for n, s in sections.items()]:
        for key in keys:
            if _plain(key) not in options:
                what = f"unknown key {shown(key)}{did_you_mean(str(key), options)}"
                raise InvalidSetting(what, where=where, remedy="a key is an option's name; 'loihiconv init' writes all of them")
    return {name: _values(path, {**content, **sections.get(name, {})}, options) for name, options in commands.items()}


def _values(path: Path, given: Mapping[Any, Any], options: Options) -> dict[str, Any]:
    wanted = [(options[_plain(key)], key, value) for key, value in given.items() if _plain(key) in options and value is not None]
    return {option.name: (_texts if option.repeated else _text)(path, key, value) for option, key, value in wanted}


def _texts(path: Path, key: Any, value: Any) -> list[Any]:
    """The values of an option that may be given several times: numbers in a list are one."""
    several = isinstance(value, list) and not all(isinstance(part, (int, float)) for part in value)
    return [_text(path, key, part) for part in (value if several else [value])]


def _text(path: Path, key: Any, value: Any) -> Any:
    """A value as the command line has it."""
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, list) and all(isinstance(part, (int, float, str)) for part in value):
        return ",".join(str(part).lower() if isinstance(part, bool) else str(part) for part in value)
    raise InvalidSetting(shown(value), where=f"{path}: {key}", limit="a number, a text, yes or no, or a list of these expected")


def _read(path: Path) -> dict[Any, Any]:
    from loihiconv.hardware.yaml_file import BrokenYaml, read_yaml

    try:
        content = read_yaml(path)
    except BrokenYaml as error:
        raise InvalidSetting(f"is no YAML: {error}", where=str(path), remedy="'loihiconv init' writes one") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise InvalidSetting(f"cannot be read: {getattr(error, 'strerror', None) or error}", where=str(path)) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InvalidSetting(f"holds {shown(content)}", where=str(path), limit="lines 'option: value' expected")
    return content


def options_of(group: Any) -> Iterator[tuple[str, dict[str, Option]]]:
    """Every command of the command line, with its options and arguments as files call them."""
    for name, command in group.commands.items():
        if not hasattr(command, "commands"):
            yield name, dict(_names(command.params))


def said(context: Any) -> dict[str, Any]:
    """What a command was told, by its line or a file, as files call it."""
    keys = {option.name: key for key, option in _names(context.command.params)}
    told = {name: value for name, value in context.params.items() if name in keys and value is not None}
    sources = {name: context.get_parameter_source(name) for name in told}
    return {keys[name]: _plain_value(value) for name, value in told.items() if sources[name] is None or sources[name].name != "DEFAULT"}


def _plain_value(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain_value(part) for part in value]
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def _names(parameters: Sequence[Any]) -> Iterator[tuple[str, Option]]:
    for parameter in parameters:
        long = [word for word in parameter.opts if not word.startswith("-") or word.startswith("--")]
        for word in long:
            if word not in ("--help", "--json", "--install-completion", "--show-completion"):
                yield _plain(word.removeprefix("--")), Option(parameter.name, getattr(parameter, "multiple", False))


def _plain(key: object) -> str:
    if key is True:
        return "on"  # which YAML 1.1 takes for yes
    return str(key).replace("_", "-").lower()
