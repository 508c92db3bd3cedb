"""Tables of Markdown; whole reports are in test_page.py."""

from __future__ import annotations

from loihiconv.report.markdown import table


def test_a_table_by_hand() -> None:
    assert table(["name", "a", "b"], [["x|y", "1", "2"]]) == "| name | a | b |\n| :-- | --: | --: |\n| x\\|y | 1 | 2 |"
