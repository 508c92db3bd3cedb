"""The README's headline figures are those of the page of benchmarks, and its picture is drawn from there."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("matplotlib", reason="comes with loihiconv[plot]")

ROOT = Path(__file__).resolve().parent.parent
README, BENCHMARKS = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/benchmarks.md"))


@pytest.fixture(scope="module")
def pictures() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pictures", ROOT / "scripts/pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_headline_figure_stands_on_the_page_of_benchmarks() -> None:
    figures = re.findall(r"[\d.]+ (?:% )?\[[\d., ]+\]", README[README.index("## Figures") :])
    assert len(figures) > 4
    known = BENCHMARKS.replace(" % [", " [")
    assert [figure for figure in figures if figure not in known] == []


def test_headline_networks_run_on_boards() -> None:
    rows = [line.split("|") for line in README[README.index("| network |") :].split("\n\n")[0].splitlines()[2:]]
    assert {row[2].strip() for row in rows} <= {"has none", "trees"}


def test_the_picture_shows_the_networks_of_the_table(pictures: ModuleType, tmp_path: Path) -> None:
    rows = pictures.measured(BENCHMARKS)
    assert all(low <= accuracy <= high for row in rows for accuracy, low, high in row.points.values())
    pictures.draw(rows, tmp_path / "accuracy.svg")
    assert (tmp_path / "accuracy.svg").stat().st_size > 10_000
    assert {row.network for row in rows if row.pooling in pictures.ON_BOARDS} >= {"Fashion-MNIST, CNN"}
