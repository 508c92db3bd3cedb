"""Every code block of README and documentation runs; what must not run says why.

A page is one namespace and one folder: what a block defines or writes, later ones find. Python blocks are executed and
``loihiconv ...`` lines of shell blocks are called; a block with ``title="name"`` is a file of that name. Comments before a block:
``<!-- not run: reason -->``, ``<!-- needs Lava -->``.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from typer.testing import CliRunner

from loihiconv.commands.app import app

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
MARKER = re.compile(r"<!-- (not run: (?P<reason>\S[^\n]*?)|(?P<lava>needs Lava)) -->\s*\Z")
WIDEST = 90
"""Characters of a line of code."""
SHOWN_ONLY = {"text", "yaml"}
"""Languages of blocks that show something and do nothing."""


@dataclass(frozen=True)
class Block:
    line: int
    language: str
    title: str
    body: str
    reason: str
    lava: bool


def blocks(text: str) -> Iterator[Block]:
    for match in FENCE.finditer(text):
        marker = MARKER.search(text, 0, match.start())
        language, _, rest = match["info"].strip().partition(" ")
        title = re.search(r'title="([^"]+)"', rest)
        yield Block(
            text.count("\n", 0, match.start()) + 2,
            language,
            title[1] if title else "",
            dedent(match["body"]),
            (marker and marker["reason"]) or "",
            bool(marker and marker["lava"]),
        )


@pytest.mark.parametrize("page", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    found = list(blocks(page.read_text(encoding="utf-8")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    namespace: dict[str, Any] = {"__name__": page.stem}
    for block in found:
        if block.reason:
            continue
        if block.lava:
            request.getfixturevalue("lava_python")
        if block.title:
            (tmp_path / block.title).write_text(block.body)
        elif block.language == "python":
            exec(compile("\n" * (block.line - 1) + block.body, str(page), "exec"), namespace)
        elif block.language == "bash":
            for command in commands(block, page):
                call(command, page, block)
        else:
            assert block.language in SHOWN_ONLY, f"{page.name}:{block.line}: nobody knows how to run {block.language!r}"


def commands(block: Block, page: Path) -> list[str]:
    lines = block.body.replace("\\\n", " ").splitlines()
    wanted = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    for line in wanted:
        assert line.startswith("loihiconv "), f'{page.name}:{block.line}: "{line}" is not run; say so with <!-- not run: reason -->'
    return wanted


def call(command: str, page: Path, block: Block) -> None:
    result = CliRunner().invoke(app, shlex.split(command, comments=True)[1:], catch_exceptions=True)
    if result.exit_code:
        raise AssertionError(f"{page.name}:{block.line}: {command}\n{result.output}\n{result.exception!r}") from result.exception


@pytest.mark.parametrize("page", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_code_is_fenced_and_links_inside_the_project_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    indented = re.findall(r"(?:\A|\n)\n( {4}[^\s].*)", re.sub(r"^(!!!|:::|: ).*\n(\n? {4}.*\n?)+", "", text, flags=re.MULTILINE))
    assert not indented, f"fence these, so that they are run: {indented}"
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        assert "://" in target or (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES[1:], ids=[str(p.relative_to(ROOT)) for p in PAGES[1:]])
def test_code_does_not_scroll_sideways(page: Path) -> None:
    """The column of text holds so many characters of code where a window is 1280 pixels wide."""
    wide = [line for block in blocks(page.read_text(encoding="utf-8")) for line in block.body.splitlines() if len(line) > WIDEST]
    assert not wide


def test_this_test_reads_markers_and_titles() -> None:
    text = '<!-- not run: a reason -->\n```bash\nrm x\n```\n\n<!-- needs Lava -->\n```python\n1\n```\n\n```yaml title="a.yaml"\nb: 1\n```\n'
    assert list(blocks(text)) == [
        Block(3, "bash", "", "rm x\n", "a reason", False),
        Block(8, "python", "", "1\n", "", True),
        Block(12, "yaml", "a.yaml", "b: 1\n", "", False),
    ]


@pytest.mark.slow
def test_site_builds_without_warnings(tmp_path: Path) -> None:
    pytest.importorskip("mkdocstrings", reason="comes with loihiconv[docs]")
    import subprocess

    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site/concepts/fixed_point.html").read_text()
    assert "<math" in page
    assert "arithmatex" not in page
    assert "hardware/board.py" not in (tmp_path / "site/command_line.html").read_text()
    assert "--timesteps" in (tmp_path / "site/command_line.html").read_text()
