"""The house's arrows: imports run downwards only, no circle of files, and each room needs the packages that it says."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "loihiconv"
FLOORS = (
    ("commands",),
    ("demo", "report"),
    ("evaluation",),
    ("backends",),
    ("exchange", "finetuning"),
    ("conversion",),
    ("clusters",),
    ("ann", "hardware", "lava", "simulator"),
    ("core",),
)
"""From the top; a room may import from the floors below it, not from its neighbours."""
FLOOR = {room: number for number, floor in enumerate(FLOORS) for room in floor}
PACKAGES = {
    "core": {"numpy", "scipy", "PIL"},  # scipy and PIL in functions alone
    "lava": {"numpy", "lava", "scipy", "h5py"},  # lava-nc itself needs scipy, and lava-dl h5py
    "hardware": {"numpy", "pydantic", "yaml"},
}
"""All that a room may import from others; rooms that are not named may import what the project depends on."""


def modules() -> dict[str, Path]:
    """Dotted name -> file, for every module of the package."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, with the line: also in functions and under TYPE_CHECKING."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield (submodule if submodule in MODULES else str(node.module)), node.lineno


def room(module: str) -> str:
    """The room of a module; empty for the package itself and its ``__main__``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FLOOR else ""


def test_nothing_stands_outside_of_the_rooms() -> None:
    outside = {p.name for p in PACKAGE.iterdir() if p.name not in ("__pycache__", "hw_configs")}
    assert outside == {"__init__.py", "__main__.py", "py.typed", "testing.py", *FLOOR}


@pytest.mark.parametrize("module", [m for m in MODULES if room(m)])
def test_imports_run_downwards(module: str) -> None:
    for imported, line in imports(MODULES[module]):
        if imported.split(".")[0] != "loihiconv" or room(imported) == room(module):
            continue
        where = f"{MODULES[module]}:{line}: {room(module)} imports {imported}"
        assert room(imported) in FLOOR, where
        assert FLOOR[room(module)] < FLOOR[room(imported)], where


def test_no_circle_of_files() -> None:
    graph = {module: {imported for imported, _ in imports(path) if imported in MODULES} - {module} for module, path in MODULES.items()}
    # The package's table of names loads everything lazily, so that all may be reached from it.
    graph["loihiconv"] = set()
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("name", sorted(PACKAGES))
def test_a_room_needs_no_other_packages(name: str) -> None:
    allowed = PACKAGES[name] | set(sys.stdlib_module_names) | {"loihiconv"}
    for module, path in MODULES.items():
        if room(module) == name:
            for imported, line in imports(path):
                assert imported.split(".")[0] in allowed, f"{path}:{line}: {name} imports {imported}"
