"""A comparison's report as a file."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Literal, TypeAlias

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.files import write_text
from loihiconv.core.given import check_path, shown
from loihiconv.evaluation.compare import Comparison
from loihiconv.report.markdown import markdown
from loihiconv.report.page import page

Format: TypeAlias = Literal["html", "markdown"]
SUFFIXES: dict[str, Format] = {".html": "html", ".htm": "html", ".md": "markdown"}


def save_report(comparison: Comparison, path: str | PathLike[str], format: Format | None = None) -> None:
    """Write a comparison's report atomically.

    Parameters
    ----------
    comparison : Comparison
        With ``compare(..., explain=True)`` the report says where accuracy went, too.
    path : path
        A file that is there is replaced.
    format : "html" or "markdown", optional
        One page that needs nothing else, or its tables as Markdown. By default what the path's ending says: ``.html`` or ``.md``.

    Raises
    ------
    InvalidSetting
        If the ending says neither, or the file cannot be written.
    """
    if not isinstance(comparison, Comparison):
        raise InvalidSetting(f"{shown(comparison)} is no comparison", where="report", limit="what loihiconv.compare returns expected")
    check_path(path, "report")
    chosen = format or SUFFIXES.get(Path(path).suffix.lower())
    if chosen is None:
        raise InvalidSetting("its ending names no kind of report", where=str(path), limit=f"{', '.join(SUFFIXES)} expected")
    write_text(path, page(comparison) if chosen == "html" else markdown(comparison))
