"""The page in a real browser: no error, no request, and its controls do what they say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from loihiconv.evaluation.compare import Comparison
from loihiconv.report.page import page

BROWSER = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here: apt-get install chromium")

PROBE = """
<script>
addEventListener("load", () => {
  const found = {}, table = document.getElementById("layer-table");
  const column = () => [...table.tBodies[0].rows].map((row) => Number(row.children[2].dataset.value));
  found.before = column();
  const button = table.tHead.rows[0].children[2].querySelector("button");
  button.click(); found.ascending = column(); found.sort = button.parentElement.getAttribute("aria-sort");
  button.click(); found.descending = column();
  const layers = [...document.querySelectorAll("details.layer")];
  found.opened = layers.filter((l) => l.open).length;
  document.getElementById("all").click(); found.all = layers.filter((l) => l.open).length;
  document.getElementById("all").click(); found.none = layers.filter((l) => l.open).length;
  dispatchEvent(new Event("beforeprint")); found.printed = layers.filter((l) => l.open).length;
  dispatchEvent(new Event("afterprint")); found.after = layers.filter((l) => l.open).length;
  found.layers = layers.length;
  found.overflow = document.documentElement.scrollWidth - innerWidth;
  found.requests = performance.getEntriesByType("resource").length;
  found.tiles = document.querySelector(".tiles").getBoundingClientRect().bottom;
  if (innerWidth < 640) document.body.style.width = "390px";
  const wide = (e) => e.scrollWidth > e.clientWidth + 1;
  found.hidden = [...document.querySelectorAll(".scroll, nav ul, table")].filter(wide).map((e) => e.outerHTML.slice(0, 80));
  document.body.style.width = "";
  found.ground = getComputedStyle(document.body).backgroundColor;
  const link = table.querySelector("tbody a");
  addEventListener("hashchange", () => setTimeout(() => {
    const target = document.getElementById(link.hash.slice(1));
    found.followed = target.open && target.contains(document.activeElement);
    document.documentElement.dataset.found = JSON.stringify(found);
  }));
  link.click();
});
</script>
"""


def browse(comparison: Comparison, folder: Path, width: int, height: int, *options: str) -> tuple[dict[str, object], str]:
    """What the probe found, and what the browser said about errors."""
    path = folder / "page.html"
    path.write_text(page(comparison).replace("</body>", PROBE + "</body>"), encoding="utf-8")
    command = [
        str(BROWSER),
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={width},{height}",
        "--enable-logging=stderr",
        "--virtual-time-budget=5000",
        *options,
        "--dump-dom",
        path.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    match = re.search(r'data-found="([^"]*)"', done.stdout)
    assert match, done.stderr[-2000:]
    said = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    found: dict[str, object] = json.loads(match[1].replace("&quot;", '"'))
    return found, said


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (500, 900)])
def test_renders_and_reacts(good: Comparison, tmp_path: Path, width: int, height: int) -> None:
    found, said = browse(good, tmp_path, width, height)
    assert said == ""
    assert found["before"] == sorted(found["before"], reverse=True)  # type: ignore[call-overload]
    assert found["ascending"] == sorted(found["before"])  # type: ignore[call-overload]
    assert found["sort"] == "ascending"
    assert found["descending"] == found["before"]
    assert (found["opened"], found["all"], found["none"]) == (1, found["layers"], 0)
    assert (found["printed"], found["after"]) == (found["layers"], 0)
    assert found["followed"] is True
    assert found["requests"] == 0
    assert found["overflow"] == 0
    assert found["hidden"] == []
    if width == 1280:
        assert float(found["tiles"]) <= height / 2 + 50  # type: ignore[arg-type]


def test_dark(faulty: Comparison, tmp_path: Path) -> None:
    light, _ = browse(faulty, tmp_path, 1280, 900)
    dark, said = browse(faulty, tmp_path, 1280, 900, "--blink-settings=preferredColorScheme=0")
    assert said == ""
    assert light["ground"] != dark["ground"]
