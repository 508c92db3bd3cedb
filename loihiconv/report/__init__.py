"""The report of a comparison: one HTML page that needs nothing else, or Markdown. It shows results and computes none."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from loihiconv.core.files import write_text
from loihiconv.evaluation.compare import Comparison
from loihiconv.report.markdown import markdown
from loihiconv.report.page import page

__all__ = ["markdown", "page", "save_html", "save_markdown", "write_reports"]


def save_html(comparison: Comparison, path: str | PathLike[str]) -> None:
    """Write the page, whole or not at all; raises `InvalidSetting` where that fails."""
    write_text(path, page(comparison))


def save_markdown(comparison: Comparison, path: str | PathLike[str]) -> None:
    """Write the tables as Markdown, whole or not at all; raises `InvalidSetting` where that fails."""
    write_text(path, markdown(comparison))


def write_reports(comparison: Comparison, html: Path | None = None, markdown: Path | None = None) -> tuple[Path, ...]:
    """Write what was asked for, and say which files that were."""
    if html is not None:
        save_html(comparison, html)
    if markdown is not None:
        save_markdown(comparison, markdown)
    return tuple(path for path in (html, markdown) if path is not None)
