"""What all figures share."""

from __future__ import annotations

from pathlib import Path

import pytest

from loihiconv.core.errors import BackendUnavailable, InvalidSetting
from loihiconv.report.figures import check_figure, new_figure, save_figure

pytest.importorskip("matplotlib", reason="figures need matplotlib")


@pytest.mark.parametrize(("suffix", "begin"), [(".png", b"\x89PNG"), (".SVG", b"<?xml"), (".pdf", b"%PDF")])
def test_files_are_what_their_ending_says(suffix: str, begin: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"figure{suffix}"
    check_figure(path)
    save_figure(new_figure(1, 1), path)
    assert path.read_bytes().startswith(begin)


def test_a_figure_shows_itself_without_pyplot() -> None:
    figure = new_figure(2, 1)
    assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]  # as notebooks ask for it
    save_figure(figure, None)


def test_what_cannot_be_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidSetting, match=r"ends in '\.gif'; \.png, \.svg, \.pdf expected"):
        check_figure(tmp_path / "figure.gif")
    with pytest.raises(InvalidSetting, match="cannot be written"):
        save_figure(new_figure(1, 1), tmp_path / "nowhere" / "figure.png")
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(BackendUnavailable, match=r"matplotlib is not installed.*loihiconv\[plot\]"):
        check_figure(None)
