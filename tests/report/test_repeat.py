"""The file of settings that repeats a comparison."""

from __future__ import annotations

from html import unescape

import yaml

from loihiconv.conversion.settings import DECLARED
from loihiconv.evaluation.compare import Comparison
from loihiconv.report.markdown import markdown
from loihiconv.report.page import page
from loihiconv.report.repeat import UNSAID, configuration


def test_it_says_every_setting(good: Comparison) -> None:
    said = yaml.safe_load(configuration(good, {"model": "nets:lenet", "data": "x.npz", "board": "mine.yaml", "html": "r.html"}))
    assert said.pop("model") == "nets:lenet"
    assert (said.pop("data"), said.pop("board"), said.pop("backends"), said.pop("task")) == (
        "x.npz",
        "mine.yaml",
        ["float", "emulator"],
        "classification",
    )
    assert {key.replace("-", "_"): value for key, value in said.items()} == {k: v for k, v in good.settings.items() if k in DECLARED}
    assert said["percentile"] == 99.9


def test_reports_show_it(good: Comparison) -> None:
    assert UNSAID in configuration(good, {})
    assert "data: a <b>.npz" in unescape(page(good, {"data": "a <b>.npz"}))
    assert "<b>.npz" not in page(good, {"data": "a <b>.npz"})
    assert "```yaml\n" + configuration(good, {"data": "x.npz"}) + "```" in markdown(good, {"data": "x.npz"})
