"""Draw the pictures of README and documentation into ``docs/assets``: ``python scripts/pictures.py``.

``accuracy.svg`` is drawn from the first table of ``docs/benchmarks.md``, of networks that a board can run. ``report.png`` is a photograph
of the report on the demo's network with a planted fault, scales at the 50th percentile; it needs Chromium.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator, ScalarFormatter

import loihiconv as lc
from loihiconv.demo import digits, digits_cnn

DOCS = Path(__file__).resolve().parents[1] / "docs"
ASSETS = DOCS / "assets"
ON_BOARDS = ("has none", "trees")
"""Ways of max-pooling that boards can run."""
STYLES = {"defaults": ("#0b6e99", "-"), "two neurons each": ("#c45a00", "-"), "paper": ("#999999", "--")}
CELL = re.compile(r"([\d.]+) \[([\d.]+), ([\d.]+)\]")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WINDOW = (1280, 780)


class Measured(NamedTuple):
    """A row of the table: accuracies in per cent, with their intervals, after so many steps."""

    network: str
    pooling: str
    method: str
    ann: float
    points: dict[int, tuple[float, float, float]]


def measured(text: str) -> list[Measured]:
    """The rows of the first table that begins with "network"."""
    lines = text[text.index("| network |") :].split("\n\n", 1)[0].splitlines()
    header, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    steps = [int(name.removeprefix("T = ")) for name in header[4:]]
    return [Measured(row[0], row[1], row[2], float(row[3]), _points(steps, row[4:])) for row in rows]


def _points(steps: list[int], cells: list[str]) -> dict[int, tuple[float, float, float]]:
    found = {t: CELL.fullmatch(cell) for t, cell in zip(steps, cells, strict=True)}
    return {t: (float(m[1]), float(m[2]), float(m[3])) for t, m in found.items() if m}


def draw(rows: list[Measured], path: Path) -> None:
    """Accuracy against time steps: one panel for each network that a board can run and that both methods were measured on."""
    shown = [row for row in rows if row.pooling in ON_BOARDS]
    names = [row.network for row in shown if row.method == "paper"]
    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "loihiconv"})
    figure, panels = plt.subplots(1, len(names), figsize=(3.4 * len(names), 3.1), layout="constrained", squeeze=False)
    for panel, name in zip(panels[0], names, strict=True):
        _panel(panel, [row for row in shown if row.network == name])
    panels[0][0].set_ylabel("accuracy, 10,000 test images [%]")
    panels[0][0].legend(frameon=False, loc="lower right")
    figure.savefig(path, metadata={"Date": None}, facecolor="white")


def _panel(panel: Axes, rows: list[Measured]) -> None:
    panel.set_title(rows[0].network, fontsize=9, loc="left")
    panel.axhline(rows[0].ann, color="#333333", linewidth=0.8, label="float network")
    for row in rows:
        colour, line = STYLES[row.method]
        steps = sorted(row.points)
        accuracy, low, high = zip(*(row.points[t] for t in steps), strict=True)
        panel.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
        panel.plot(steps, accuracy, line, marker="o", markersize=4, color=colour, label=f"8 bits, {row.method}")
    panel.set_xscale("log", base=2)
    panel.set_xticks(sorted({t for row in rows for t in row.points}))
    panel.xaxis.set_major_formatter(ScalarFormatter())
    panel.xaxis.set_minor_locator(NullLocator())
    panel.set_xlabel("time steps T")


def report(path: Path) -> None:
    """The report on the demo's network, converted with scales that clip half of the activations."""
    x_train, _, x_test, y_test = digits()
    model = digits_cnn()
    net = lc.convert(model, x_train, board="kapoho_point", timesteps=32, scale="percentile", percentile=50.0, per_channel=False)
    lc.save_report(lc.compare(model, net, (x_test, y_test), explain=True, calibration=x_train), path)


def photograph(path: Path) -> None:
    """The report's first screen."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"no browser: one of {', '.join(BROWSERS)} is needed")
    with tempfile.TemporaryDirectory() as folder:
        report(Path(folder, "report.html"))
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--hide-scrollbars"]
        place = [f"--user-data-dir={folder}/profile", f"--window-size={WINDOW[0]},{WINDOW[1]}", f"--screenshot={path}"]
        subprocess.run([browser, *options, *place, Path(folder, "report.html").as_uri()], check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    draw(measured((DOCS / "benchmarks.md").read_text(encoding="utf-8")), ASSETS / "accuracy.svg")
    photograph(ASSETS / "report.png")
