"""The page and the Markdown: whole, self-contained, accessible, and with the numbers of the comparison."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import pytest

import loihiconv as lc
from loihiconv.core import numbers as n
from loihiconv.demo import digits, digits_cnn
from loihiconv.evaluation.compare import Comparison
from loihiconv.report.markdown import markdown
from loihiconv.report.page import page

VOID = {"meta", "link", "path", "rect", "circle"}
"""Elements without an end tag, or that end themselves."""


class Reader(HTMLParser):
    """Elements of a page, and whether they are nested well."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(params=["good", "faulty"])
def comparison(request: pytest.FixtureRequest) -> Comparison:
    result: Comparison = request.getfixturevalue(request.param)
    return result


def test_one_file_that_loads_nothing(comparison: Comparison) -> None:
    text = page(comparison)
    assert len(text.encode()) < 5e6
    assert text == page(comparison)
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", text)
    assert "@import" not in text
    assert "url(" not in text
    assert set(re.findall(r"https?://[^\s\"<]+", text)) <= {"http://www.w3.org/2000/svg"}
    for leftover in ("{{", "{%", "nan %", "None", "Undefined"):
        assert leftover not in text.replace("default-src 'none'", "")


def test_structure(comparison: Comparison) -> None:
    elements = Reader(page(comparison)).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in elements:
        for key in ("href", "aria-labelledby"):
            for target in (attributes.get(key) or "").split():
                if key == "aria-labelledby" or (target.startswith("#")):
                    assert target.removeprefix("#") in ids
    levels = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    for tag, attributes in elements:
        if tag == "svg":
            assert attributes.get("role") == "img" or attributes.get("aria-hidden") == "true"
        if tag == "th" and "scope" not in attributes:
            assert not attributes  # the empty corner of a matrix
    assert {"summary", "layers", "time", "activity", "ranges", "board", "repeat", "all"} <= set(ids)


def test_numbers_are_those_of_the_comparison(faulty: Comparison) -> None:
    assert faulty.analysis is not None
    text, plain = page(faulty), markdown(faulty)
    chain = faulty.analysis.waterfall
    for step in chain.steps:
        for shown in (text, plain):
            assert step.title in shown
            assert n.percent(step.accuracy) in shown
    assert n.change(chain.metric, chain.total.loss) in text
    assert [error.population for error in faulty.analysis.errors] == [layer.population for layer in chain.layers]
    for error in faulty.analysis.errors:
        assert sum(error.share.values()) == pytest.approx(1, abs=1e-6)
    assert "Layer 0: " in text
    for finding in faulty.analysis.diagnosis.findings:  # each once: in a tile, or below it
        assert len(re.findall(f"<(?:p|li)>{re.escape(escape(finding.sentence))}</", text)) == 1
    assert faulty.analysis.diagnosis.verdict in plain
    worst = max(chain.layers, key=lambda layer: layer.relative_error)
    assert re.search(r'<table id="layer-table"[^>]*>.*?<tbody>.*?href="#layer-([^"]+)"', text, re.S)[1] == worst.population  # type: ignore[index]
    assert faulty.verdict.title in text
    for answer in faulty.verdict.answers:
        assert answer.question in text
        assert answer.question in plain
    assert "percentile" in text


def test_few_samples_have_no_bold_figure_and_no_say_in_axes(good: Comparison) -> None:
    few = replace(good.backends["emulator"], n=3, value=1.0, interval95=(0.4, 1.0))
    with_few, without = (page(replace(good, backends={**good.backends, **more})) for more in ({"lava": few}, {}))
    row = re.search(r"<tr[^>]*><th scope=\"row\">Lava CPU</th>.*?</tr>", with_few)
    assert row is not None
    assert "strong" not in row[0]
    assert "<svg" not in row[0]
    marks = re.compile("marks from [^<]*")
    assert marks.findall(with_few) == marks.findall(without)


def test_names_are_escaped(good: Comparison) -> None:
    assert good.analysis is not None
    evil = "<script>alert(1)</script> & |"
    chain = good.analysis.waterfall
    layers = (replace(chain.layers[0], population=evil), *chain.layers[1:])
    analysis = replace(good.analysis, waterfall=replace(chain, layers=layers), notes=(evil,), settings={"note": evil})
    changed = replace(good, analysis=analysis, board=evil)
    text = page(changed)
    Reader(text)
    assert evil not in text
    assert "<script>alert" not in text
    assert "\\|" in markdown(changed)


def test_without_an_explanation_there_are_accuracies() -> None:
    x_train, _, x, y = digits()
    net = lc.convert(digits_cnn(), x_train[:64], board=None, timesteps=4, bias_correction=False)
    plain = lc.compare(digits_cnn(), net, (x[:8], y[:8]), ["float"])
    text = page(plain)
    Reader(text)
    assert "explain=True" in text
    assert "float SNN" in text
    assert "# From float network" in markdown(plain)
    explained = lc.compare(digits_cnn(), net, (x[:8], y[:8]), ["float"], explain=True)
    Reader(page(explained))
    assert 'id="ranges"' not in page(explained)
