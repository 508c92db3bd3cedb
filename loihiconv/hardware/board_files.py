"""Where the YAML files of boards are, and what they are called; no file is read and nothing large imported, as completion wants it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from loihiconv.core.errors import InvalidBoard


@cache
def config_folder() -> Path:
    """``hw_configs`` inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "hw_configs", package.parent / "hw_configs"):
        if (folder / "chips").is_dir():
            return folder
    raise InvalidBoard("the folder hw_configs is missing", where=str(package), remedy="install loihiconv again")


def files(folder: Path) -> Iterator[Path]:
    """YAML files of a folder, in alphabetical order."""
    return iter(sorted(folder.glob("*.yaml")))


def board_names() -> list[str]:
    """Names of the boards that come with loihiconv, in alphabetical order."""
    return [path.stem for path in files(config_folder())]
