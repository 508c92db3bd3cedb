"""Draw the networks of the zoo into ``docs/assets/zoo``: ``python scripts/gallery.py``.

A column for each depth, a box for each population, as tall as it has neurons (logarithmic), and a line for each connection; those that skip
columns are arcs. ``docs/zoo.md`` shows them.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from html import escape
from math import log10
from pathlib import Path

import loihiconv as lc
from loihiconv.core.network import Input, MaxPool, Network, Population, Readout
from tests.zoo.nets import FAMILIES, made, samples

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "assets" / "zoo"
COLUMN, WIDE, GAP, MARGIN = 26.0, 12.0, 7.0, 8.0
ARC = 0.16
"""Height of an arc for each unit of its length."""
LINES = "#8a929b"
"""Seen on a light page and on a dark one, as the colours of boxes are."""


def file_name(family: str) -> str:
    """Where a family's picture is."""
    return re.sub(r"[^a-z0-9]+", "_", family.lower()).strip("_") + ".svg"


def picture(net: Network, title: str) -> str:
    """The network as an SVG."""
    places = _places(net)
    skips = [(a, b) for a, b in _pairs(net) if net.begins[b] - net.begins[a] > 1]
    above = max((ARC * COLUMN * (net.begins[b] - net.begins[a]) for a, b in skips), default=0.0)
    half = max(abs(y) + _tall(net[name]) / 2 for name, (_, y) in places.items()) + above + MARGIN
    width = 2 * MARGIN + COLUMN * max(net.begins.values()) + WIDE
    size = f'width="{width:.0f}" height="{2 * half:.0f}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 {-half:.0f} {width:.0f} {2 * half:.0f}" {size}>']
    parts.append(f"<title>{escape(title)}</title>")
    parts += [_line(places[a], places[b], net.begins[b] - net.begins[a]) for a, b in _pairs(net)]
    parts += [_box(net[name], *place) for name, place in places.items()]
    return "\n".join([*parts, "</svg>\n"])


def _places(net: Network) -> dict[str, tuple[float, float]]:
    """The left edge and the middle of each box."""
    columns: dict[int, list[Population]] = {}
    for population in net.populations:
        columns.setdefault(net.begins[population.name], []).append(population)
    places = {}
    for depth, members in columns.items():
        y = -(sum(map(_tall, members)) + GAP * (len(members) - 1)) / 2
        for member in members:
            places[member.name] = (MARGIN + COLUMN * depth, y + _tall(member) / 2)
            y += _tall(member) + GAP
    return places


def _pairs(net: Network) -> Iterator[tuple[str, str]]:
    """Populations that are joined, each pair once."""
    yield from dict.fromkeys((c.source, c.target) for c in net.connections)


def _tall(population: Population) -> float:
    return 6 + 9 * log10(max(1, population.size))


def _line(a: tuple[float, float], b: tuple[float, float], columns: int) -> str:
    x, end = a[0] + WIDE, b[0]
    bow = ARC * COLUMN * columns * 4 / 3 + 24 if columns > 1 else 0.0
    middle = (x + end) / 2
    path = f"M{x:.1f} {a[1]:.1f}C{middle:.1f} {a[1] - bow:.1f} {middle:.1f} {b[1] - bow:.1f} {end:.1f} {b[1]:.1f}"
    return f'<path d="{path}" fill="none" stroke="{LINES}" stroke-width="1"/>'


def _box(population: Population, x: float, y: float) -> str:
    tall, shape = _tall(population), "×".join(map(str, population.shape))
    said = f"<title>{escape(population.name)}: {shape}</title>"
    return f'<rect x="{x:.1f}" y="{y - tall / 2:.1f}" width="{WIDE}" height="{tall:.1f}" rx="2" fill="{_colour(population)}">{said}</rect>'


def _colour(population: Population) -> str:
    match population:
        case Input():
            return "#d08a2e"
        case Readout():
            return "#2f9e77"
        case MaxPool():
            return "#a878c9"
        case _:
            return "#3f8fc4"


def main() -> None:
    """Draw all of them."""
    warnings.simplefilter("ignore")  # weights are random
    FOLDER.mkdir(exist_ok=True)
    for name, family in FAMILIES.items():
        net = lc.convert(made(name), samples(family.shape, 16, 1), board=None, timesteps=2, maxpool="gate")
        (FOLDER / file_name(name)).write_text(picture(net, name), encoding="utf-8")


if __name__ == "__main__":
    main()
