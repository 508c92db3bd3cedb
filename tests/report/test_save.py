"""Reports as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from loihiconv.core.errors import InvalidSetting
from loihiconv.evaluation.compare import Comparison
from loihiconv.evaluation.difference import difference
from loihiconv.evaluation.saved import read_comparison
from loihiconv.report.markdown import markdown
from loihiconv.report.page import page
from loihiconv.report.save import save_report


def test_files(good: Comparison, tmp_path: Path) -> None:
    save_report(good, tmp_path / "r.html")
    save_report(good, tmp_path / "r.MD")
    assert (tmp_path / "r.html").read_text() == page(good)
    assert (tmp_path / "r.MD").read_text() == markdown(good)
    save_report(good, tmp_path / "named", "markdown")
    assert (tmp_path / "named").read_text() == markdown(good)
    save_report(good, tmp_path / "r.json")
    assert difference(*[read_comparison(tmp_path / "r.json")] * 2).same
    with pytest.raises(InvalidSetting, match="cannot be written"):
        save_report(good, tmp_path / "missing" / "r.html")
    with pytest.raises(InvalidSetting, match=r"\.html, \.htm, \.md, \.json expected"):
        save_report(good, tmp_path / "r.pdf")
