"""A comparison as a figure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from loihiconv.core.metric import RMSE
from loihiconv.evaluation.compare import Comparison
from loihiconv.report.comparison_plot import plot_comparison

pytest.importorskip("matplotlib", reason="figures need matplotlib")


def test_what_is_explained_is_drawn(faulty: Comparison, tmp_path: Path) -> None:
    assert faulty.analysis is not None
    figure = plot_comparison(faulty, tmp_path / "figure.svg")
    assert (tmp_path / "figure.svg").read_text().startswith("<?xml")
    back_ends, changes, over_time, layers = figure.axes
    emulator = faulty.backends["emulator"]
    assert [label.get_text() for label in back_ends.get_yticklabels()][-1] == f"emulator, {100 * emulator.value:.2f} %\nof 60"
    assert [line.get_xdata()[0] for line in back_ends.lines if line.get_marker() == "o"][-1] == pytest.approx(100 * emulator.value)
    steps = [step for step in faulty.analysis.waterfall.steps[1:] if not step.same]
    assert [bar.get_width() for bar in changes.patches] == pytest.approx([-100 * step.loss for step in steps])
    assert "change of accuracy [points]" in changes.get_xlabel()
    assert faulty.analysis.latency is not None
    assert over_time.lines[0].get_ydata() == pytest.approx(100 * faulty.analysis.latency.value)
    assert [label.get_text() for label in layers.get_yticklabels()] == ["0", "3", "7", "9"]
    assert layers.images[0].get_array().shape == (4, len(faulty.analysis.waterfall.steps) - 1)


def test_without_an_explanation_back_ends_are_drawn(good: Comparison) -> None:
    (panel,) = plot_comparison(replace(good, analysis=None)).axes
    assert len(panel.get_yticks()) == len(good.backends)


def test_few_samples_have_no_say_in_the_axis(good: Comparison) -> None:
    many = {name: replace(result, n=1000) for name, result in good.backends.items()}
    few = replace(many["emulator"], n=5, value=0.4, interval95=(0.1, 0.8))
    (panel,) = plot_comparison(replace(good, analysis=None, backends={**many, "lava": few})).axes
    assert panel.get_xlim()[0] > 80


def test_what_is_no_share_is_in_its_own_unit(good: Comparison) -> None:
    """The first step of an error that grows by a half is to the right, and nothing is in per cent."""
    assert good.analysis is not None
    backends = {name: replace(result, metric=RMSE) for name, result in good.backends.items()}
    first, second, *rest = good.analysis.waterfall.steps
    assert second.step is not None
    worse = replace(second, step=replace(second.step, loss=0.5, interval95=(0.25, 0.75)), same=False)
    chain = replace(good.analysis.waterfall, metric=RMSE, steps=(first, worse, *rest))
    explained = replace(good.analysis, waterfall=chain, latency=None)
    back_ends, changes, over_time, _ = plot_comparison(replace(good, backends=backends, analysis=explained)).axes
    assert (back_ends.get_xlabel(), changes.get_xlabel()) == ("RMSE, 95 % interval", "change of RMSE, 95 % interval")
    assert changes.patches[0].get_width() == 0.5
    assert "not recorded" in over_time.texts[0].get_text()
    assert np.isfinite(back_ends.get_xlim()).all()
