"""A sweep as a figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from loihiconv.core.errors import InvalidSetting
from loihiconv.report.sweep_plot import plot_sweep
from tests.evaluation.sweep.made_up import made_up


def test_the_figure_shows_points_fronts_and_intervals(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    result = made_up()
    figure = plot_sweep(result, tmp_path / "sweep.svg")
    assert (tmp_path / "sweep.svg").read_text().startswith("<?xml")
    left, right = figure.axes
    assert (left.get_xlabel(), right.get_xlabel()) == ("time steps per sample", "synaptic operations per sample")
    assert left.get_ylabel() == "accuracy [%]\n(200 test samples)"
    front = next(line for line in right.lines if line.get_drawstyle() == "steps-post")
    assert front.get_xydata().tolist() == [[900, 75], [800e3, 90], [3.2e6, 94.5], [3.2e6, 94.5]]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["float ANN", "Pareto front", "scales: channel", "scales: layer"]
    assert "1 of 6 points could not be converted" in figure.get_suptitle()
    plot_sweep(result, tmp_path / "sweep.png", lowest=0.5)
    assert (tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")


def test_figures_that_cannot_be_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    result = made_up()
    with pytest.raises(InvalidSetting, match=r"ends in '\.gif'"):
        plot_sweep(result, tmp_path / "sweep.gif")
    with pytest.raises(InvalidSetting, match="lowest 2"):
        plot_sweep(result, lowest=2)
    with pytest.raises(InvalidSetting, match="cannot be written"):
        plot_sweep(result, tmp_path / "nowhere" / "sweep.png")
