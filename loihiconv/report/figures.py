"""What all figures share: matplotlib where it is there, and files of a kind that is known."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from loihiconv.core.errors import BackendUnavailable, InvalidSetting
from loihiconv.core.files import replacing
from loihiconv.core.given import check_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
DPI = 150
"""Of a picture in pixels."""


def check_figure(path: str | os.PathLike[str] | None) -> None:
    """Raise at once where a figure must fail later: no matplotlib, or a kind of file that is not written; without a path it is only shown.

    Raises
    ------
    InvalidSetting
    BackendUnavailable
    """
    if path is not None:
        check_path(path, "plot")
        if (suffix := Path(path).suffix.lower()) not in SUFFIXES:
            raise InvalidSetting(f"ends in {suffix!r}", where=str(path), limit=f"{', '.join(SUFFIXES)} expected")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise BackendUnavailable("matplotlib is not installed", where="plot", remedy='pip install "loihiconv[plot]"') from error


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches, which a notebook shows by itself, also where pyplot was never imported."""
    from matplotlib import figure

    class Figure(figure.Figure):
        """Of no window, so that a script that draws many need not close them."""

        def _repr_png_(self) -> bytes:
            drawn = BytesIO()
            self.savefig(drawn, format="png")
            return drawn.getvalue()

    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Figure, path: str | os.PathLike[str] | None) -> None:
    """Write a figure atomically, as what the path's ending says; nothing without a path.

    Raises
    ------
    InvalidSetting
        If it cannot be written.
    """
    if path is None:
        return
    try:
        with replacing(path) as file:
            figure.savefig(file, format=Path(path).suffix[1:].lower(), dpi=DPI)
    except OSError as error:
        raise InvalidSetting(f"cannot be written: {error.strerror or error}", where=str(path)) from error
