"""YAML that people write: a short file of names and values, in which nothing is executed and every name stands once.

PyYAML itself takes minutes over deep nesting and long numbers, expands references without end, takes the last of two equal names, and lets
out errors of many kinds. All of that is one line here.
"""

from __future__ import annotations

import os
from collections.abc import Hashable
from typing import Any

import yaml

from loihiconv.core.files import read_bytes

MOST_BYTES = 1 << 20
MOST_VALUES = 10_000
"""Of a file, with every reference written out."""
DEEPEST = 32
"""Lists and mappings within each other."""
LONGEST_NUMBER = 100
"""Characters."""


class BrokenYaml(ValueError):
    """What is wrong with a file, in one line; whoever reads it adds which file."""


def read_yaml(path: str | os.PathLike[str]) -> Any:
    """What a file holds, as plain values.

    Raises
    ------
    BrokenYaml
        If it is no YAML, larger than `MOST_BYTES`, nested deeper than `DEEPEST`, or gives a name twice.
    OSError
        As `open` does.
    """
    try:
        loader = _Loader(read_bytes(path, MOST_BYTES).decode())
    except (ValueError, yaml.YAMLError) as error:
        raise BrokenYaml(_said(error)) from error
    try:
        return loader.get_single_data()
    except BrokenYaml as error:
        raise BrokenYaml(f"line {loader.at + 1}: {error}") from error
    except Exception as error:  # its constructors let out KeyError, AttributeError, ... where a value is not what its tag says
        raise BrokenYaml(_said(error, loader.at)) from error
    finally:
        loader.dispose()


def _said(error: Exception, line: int | None = None) -> str:
    """PyYAML's complaint and the line that it is about."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    at = mark.line if mark is not None else None if isinstance(error, yaml.YAMLError) else line
    what = problem or (str(error) if isinstance(error, (ValueError, yaml.YAMLError)) else "a value is not what its tag says")
    return " ".join((f"line {at + 1}: {what}" if at is not None else what).split())


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with limits."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.at = 0
        """Line of what is looked at, from 0."""
        self._depth = self._values = 0
        self._sizes: dict[int, int] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        self.at = event.start_mark.line
        self._depth += 1
        self._values += 1
        if self._depth > DEEPEST:
            raise BrokenYaml(f"nested deeper than {DEEPEST}")
        node = super().compose_node(parent, index)
        self._depth -= 1
        if not isinstance(event, yaml.AliasEvent):
            self._sizes[id(node)] = 1 + sum(self._sizes[id(part)] for part in _parts(node))
        elif id(node) not in self._sizes:
            raise BrokenYaml(f"*{event.anchor} refers to what it stands in")
        if max(self._values, self._sizes[id(node)]) > MOST_VALUES:
            raise BrokenYaml(f"more than {MOST_VALUES:,} values")
        return node

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        self.at = node.start_mark.line
        number = node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
        if number and len(node.value) > LONGEST_NUMBER:
            raise BrokenYaml(f"a number of {len(node.value):,} characters, at most {LONGEST_NUMBER} expected")
        return super().construct_object(node, deep=deep)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        if isinstance(node, yaml.MappingNode):
            seen: set[tuple[str, str]] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in seen:
                    self.at = key.start_mark.line
                    raise BrokenYaml(f"{key.value[:40]!r} stands there twice")
                seen.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep=deep)


def _parts(node: Any) -> list[Any]:
    """What a node holds."""
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
