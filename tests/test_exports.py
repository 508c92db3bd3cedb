"""What ``loihiconv`` offers by name: the table, ``__all__`` and the imports for type checkers say the same."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

import loihiconv as lc


def test_imports_for_type_checkers_are_the_table() -> None:
    tree = ast.parse(Path(lc.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imported = {
        node.module.removeprefix("loihiconv."): tuple(alias.name for alias in node.names)
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module is not None
    }
    assert imported == lc._MODULES


def test_all_is_the_table() -> None:
    assert set(lc.__all__) == {*lc._HOMES, "__version__"}
    assert len(set(lc.__all__)) == len(lc.__all__)
    assert dir(lc) == sorted(lc.__all__)


@pytest.mark.parametrize("name", sorted(lc._HOMES))
def test_names_are_where_the_table_says(name: str) -> None:
    assert getattr(lc, name) is getattr(import_module(f"loihiconv.{lc._HOMES[name]}"), name)


def test_other_names_are_errors() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'konvert'"):
        lc.konvert  # noqa: B018
