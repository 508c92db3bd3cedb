"""The frame of every plot: scales, ticks, labels with units, a title and a description for those who cannot see it.

Plots are 400 by 250 units, so that on a phone they are shown at about their own size and their text stays readable. Colours are
classes, which the page's style gives a meaning in light, dark and print.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup, escape

from loihiconv.core.numbers import decimal

WIDTH, HEIGHT = 400.0, 250.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 12.0, 12.0, 44.0
CHARACTER = 7.5
"""Width of a tick's character, at most."""


@dataclass(frozen=True)
class Scale:
    """From values to places.

    Parameters
    ----------
    low, high : float
        Values at both ends.
    start, end : float
        Their places.
    label : str
        Name and unit of the axis.
    percent : bool
        Write ticks as percentages.
    """

    low: float
    high: float
    start: float
    end: float
    label: str
    percent: bool = False

    def __call__(self, value: float) -> float:
        """Place of a value, to a tenth of a unit."""
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 1)

    def ticks(self, wanted: int = 5) -> list[tuple[float, str]]:
        """Round values within the range, and how they are written."""
        step = nice_step(self.high - self.low, wanted)
        first = ceil(self.low / step - 1e-9)
        values = [k * step for k in range(first, floor(self.high / step + 1e-9) + 1)]
        digits = max(0, -floor(log10(step * (100 if self.percent else 1)) + 1e-9))
        factor = 100 if self.percent else 1
        return [(value, decimal(value * factor, digits)) for value in values]


def nice_step(span: float, wanted: int) -> float:
    """1, 2 or 5 times a power of ten, so that about so many steps make up a span."""
    raw = span / wanted
    power = 10 ** floor(log10(raw))
    return float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999))


def horizontal(low: float, high: float, label: str, *, percent: bool = False) -> Scale:
    """The scale of a plot's x axis."""
    return Scale(low, high, LEFT, WIDTH - RIGHT, label, percent)


def vertical(low: float, high: float, label: str, *, percent: bool = False) -> Scale:
    """The scale of a plot's y axis, upwards."""
    return Scale(low, high, HEIGHT - BOTTOM, TOP, label, percent)


def plot(name: str, title: str, description: str, x: Scale, y: Scale, body: Sequence[str], *, y_ticks: bool = True) -> Markup:
    """A plot as an SVG element.

    Parameters
    ----------
    name : str
        Unique on the page; links title and description to the picture.
    title, description : str
        What it is, and what can be seen in it.
    x, y : Scale
    body : sequence of SVG fragments
        Drawn over the grid.
    """
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [
        f'<svg class="plot" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" aria-labelledby="{name}-t {name}-d">',
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(description)}</desc>',
    ]
    for value, text in x.ticks():
        place = x(value)
        middle = min(place, round(WIDTH - CHARACTER * len(text) / 2, 1))  # nothing of it beyond the edge
        parts.append(
            f'<path class="tick" d="M{place} {bottom}v4"/><text class="t" x="{middle}" y="{bottom + 17}" text-anchor="middle">{text}</text>'
        )
    for value, text in y.ticks() if y_ticks else ():
        place = y(value)
        parts.append(f'<path class="grid" d="M{LEFT} {place}H{right}"/>')
        parts.append(f'<text class="t" x="{LEFT - 7}" y="{place + 4}" text-anchor="end">{text}</text>')
    parts += body
    parts.append(f'<path class="axis" d="M{LEFT} {bottom}H{right}"/>')
    parts.append(f'<text class="l" x="{(LEFT + right) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x.label)}</text>')
    middle = (TOP + bottom) / 2
    parts.append(f'<text class="l" transform="translate(13 {middle}) rotate(-90)" text-anchor="middle">{escape(y.label)}</text></svg>')
    return Markup("".join(parts))


def line(points: Sequence[tuple[float, float]]) -> str:
    """A path through points."""
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def stairs(x: Scale, y: Scale, edges: Sequence[float], values: Sequence[float]) -> str:
    """The outline of a histogram, from and to the axis."""
    path = [f"M{x(edges[0])} {y(y.low)}"]
    for left, right, value in zip(edges[:-1], edges[1:], values, strict=True):
        path.append(f"L{x(left)} {y(value)}L{x(right)} {y(value)}")
    path.append(f"L{x(edges[-1])} {y(y.low)}Z")
    return "".join(path)
