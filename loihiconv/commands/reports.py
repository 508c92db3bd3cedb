"""What ``compare`` and ``demo`` do about reports: look before the work whether they can be written, and write them after it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loihiconv.commands.terminal import note
from loihiconv.core.files import check_writable

if TYPE_CHECKING:
    from loihiconv.evaluation.compare import Comparison


def check_reports(html: Path | None, markdown: Path | None, plot: Path | None = None) -> None:
    """Raise at once where a report or a figure could not be written."""
    for path in (html, markdown, plot):
        if path is not None:
            check_writable(path)
    if plot is not None:
        from loihiconv.report.figures import check_figure

        check_figure(plot)


def finish_reports(
    comparison: Comparison,
    html: Path | None,
    markdown: Path | None,
    plot: Path | None = None,
    *,
    quiet: bool = False,
    said: Mapping[str, Any] | None = None,
) -> None:
    """Print where accuracy went, where that was asked for, and write reports and figure, with what the command was told to repeat it by."""
    from loihiconv.commands.analysis_text import print_analysis
    from loihiconv.report.save import save_report

    if comparison.analysis is not None and not quiet:
        print_analysis(comparison.analysis, comparison.verdict.answers[0].status)
    if html is not None:
        save_report(comparison, html, "html", given=said)
        note(f"written: {html}")
    if markdown is not None:
        save_report(comparison, markdown, "markdown", given=said)
        note(f"written: {markdown}")
    if plot is not None:
        from loihiconv.report.comparison_plot import plot_comparison

        plot_comparison(comparison, plot)
        note(f"written: {plot}")
