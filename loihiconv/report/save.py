"""A comparison's report as a file."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeAlias

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.files import write_json, write_text
from loihiconv.core.given import check_path, shown
from loihiconv.evaluation.compare import Comparison
from loihiconv.report.markdown import markdown
from loihiconv.report.page import page

Format: TypeAlias = Literal["html", "markdown", "json"]
SUFFIXES: dict[str, Format] = {".html": "html", ".htm": "html", ".md": "markdown", ".json": "json"}


def save_report(
    comparison: Comparison, path: str | PathLike[str], format: Format | None = None, *, given: Mapping[str, Any] | None = None
) -> None:
    """Write a comparison's report atomically.

    Parameters
    ----------
    comparison : Comparison
        With ``compare(..., explain=True)`` the report says where accuracy went, too.
    path : path
        A file that is there is replaced.
    format : "html", "markdown" or "json", optional
        One page that needs nothing else, its tables as Markdown, or all figures as JSON, which ``loihiconv diff`` reads. By default what
        the path's ending says: ``.html``, ``.md`` or ``.json``.
    given : {key: value}, optional
        What a file of settings has to say beside the conversion's settings, so that it repeats the comparison: model, data, ...

    Raises
    ------
    InvalidSetting
        If the ending says none of them, or the file cannot be written.
    """
    if not isinstance(comparison, Comparison):
        raise InvalidSetting(f"{shown(comparison)} is no comparison", where="report", limit="what loihiconv.compare returns expected")
    check_path(path, "report")
    chosen = format or SUFFIXES.get(Path(path).suffix.lower())
    if chosen is None:
        raise InvalidSetting("its ending names no kind of report", where=str(path), limit=f"{', '.join(SUFFIXES)} expected")
    if chosen == "json":
        write_json(path, comparison.to_json())
    else:
        write_text(path, page(comparison, given) if chosen == "html" else markdown(comparison, given))
