"""Every plot of the report, as SVG out of results that are there already; nothing is computed but places on paper."""

from __future__ import annotations

from math import log2

import numpy as np
from markupsafe import Markup

from loihiconv.core.numbers import decimal, percent, value
from loihiconv.evaluation.explain.analysis import Raster
from loihiconv.evaluation.explain.curves import LatencyCurve
from loihiconv.evaluation.explain.layers import BINS, LayerStatistics
from loihiconv.evaluation.explain.ranges import LIMITS, StateRanges, WeightStatistics
from loihiconv.report.axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Scale, horizontal, line, plot, stairs, vertical


def latency(curve: LatencyCurve, ann: float) -> Markup:
    """A task's metric after each time step, with its interval, beside the float network's."""
    metric, steps = curve.metric, len(curve.value)
    low, high = min(float(np.nanmin(curve.low)), ann), max(float(np.nanmax(curve.high)), ann)
    x = horizontal(0, steps, "time step")
    margin = 0.05 * (high - low or 1.0)
    y = (
        vertical(max(0.0, low - 0.02), 1.0, f"{metric.title} / %", percent=True)
        if metric.share
        else vertical(max(0.0, low - margin), high + margin, metric.title)
    )
    points = [(x(t + 1), y(float(a))) for t, a in enumerate(curve.value)]
    band = [(x(t + 1), y(float(v))) for t, v in enumerate(curve.high)] + [
        (x(t + 1), y(float(v))) for t, v in reversed(list(enumerate(curve.low)))
    ]
    anchor = y(ann) + 15 if y(ann) < TOP + 24 else y(ann) - 6
    body = [
        f'<path class="band" d="{line(band)}Z"/>',
        f'<path class="ref" d="M{LEFT} {y(ann)}H{WIDTH - RIGHT}"/>',
        f'<text class="t" x="{WIDTH - RIGHT}" y="{anchor}" text-anchor="end">float ANN {value(metric, ann)}</text>',
        f'<path class="s1" d="{line(points)}"/>',
    ]
    if steps == 1:
        body.append(f'<circle class="p1" cx="{points[0][0]}" cy="{points[0][1]}" r="3"/>')
    first, last = (value(metric, float(curve.value[t])) for t in (0, -1))
    title = f"{metric.title[:1].upper()}{metric.title[1:]} against time steps"
    return plot("latency", title, f"It goes from {first} after 1 step to {last} after {steps}.", x, y, body)


def scatter(layer: LayerStatistics, index: int) -> Markup:
    """Activations of the float network against what the spiking network made of them."""
    a, r = layer.scatter.astype(float)
    readout = layer.kind == "readout"
    low = min(0.0, float(a.min(initial=0)), float(r.min(initial=0))) if readout else 0.0
    high = max(float(a.max(initial=0)), float(r.max(initial=0)), 1e-9 if readout else float(layer.largest))
    unit = "output" if readout else "spikes per step" if layer.largest == 1 else "payload per step"
    x = horizontal(low, high, f"float activation / {'output' if readout else 'λ' if layer.largest == 1 else '(λ / largest payload)'}")
    y = vertical(low, high, f"spiking / {unit}")
    dots = "".join(f"M{x(p)} {y(q)}h0" for p, q in zip(a, r, strict=True))
    limit = "" if readout else f'<path class="limit" d="M{LEFT} {y(layer.largest)}H{WIDTH - RIGHT}"/>'
    body = [limit, f'<path class="ref" d="{line([(x(low), y(low)), (x(high), y(high))])}"/>', f'<path class="dots" d="{dots}"/>']
    described = f"Correlation {decimal(layer.correlation, 4)} over all neurons; points on the diagonal are exact."
    return plot(f"scatter{index}", f"{layer.population}: activations against rates", described, x, y, body)


def histogram(layer: LayerStatistics, index: int) -> Markup:
    """How often which activation and which rate occurs, among those above 0."""
    a, r = (values / max(1, values.sum()) for values in (layer.activation_histogram, layer.rate_histogram))
    edges = [k / BINS for k in range(BINS + 2)]
    x = horizontal(0, edges[-1], "activation / λ, or rate; last bin: above 1")
    y = vertical(0, max(float(a.max(initial=0)), float(r.max(initial=0)), 1e-6) * 1.05, "share of positive values / %", percent=True)
    body = [f'<path class="area2" d="{stairs(x, y, edges, list(a))}"/>', f'<path class="s1" d="{stairs(x, y, edges, list(r))}"/>']
    described = (
        f"{percent(layer.clipped)} of positive activations are above the largest rate; {percent(layer.silent)} of neurons never spike."
    )
    return plot(f"histogram{index}", f"{layer.population}: distribution of activations and rates", described, x, y, body)


def weights(connection: WeightStatistics, index: int) -> Markup:
    """Integer weights, the float weights they stand for, and the range that the chip can represent."""
    total = max(1, int(connection.counts.sum()))
    shares, floats = connection.counts / total, connection.float_counts / max(1, int(connection.float_counts.sum()))
    reach = float(connection.edges[-1])
    x = horizontal(-reach * 1.12, reach * 1.12, "weight / integers of the chip")
    y = vertical(0, max(float(shares.max()), float(floats.max()), 1e-6) * 1.05, "share of weights / %", percent=True)
    body = [
        f'<rect class="range" x="{x(-reach)}" y="{TOP}" width="{x(reach) - x(-reach):.1f}" height="{HEIGHT - BOTTOM - TOP}"/>',
        f'<path class="area2" d="{stairs(x, y, list(connection.edges), list(floats))}"/>',
        f'<path class="s1" d="{stairs(x, y, list(connection.edges), list(shares))}"/>',
    ]
    bits = decimal(connection.bits_used, 1)
    described = f"{connection.levels} different values, {bits} bits of magnitude used, {percent(connection.zeros)} zeros."
    return plot(f"weights{index}", f"{connection.connection}: weights in the representable range", described, x, y, body)


def raster(what: Raster, index: int, timesteps: int) -> Markup:
    """Spikes of some neurons over time."""
    rows = len(what.neurons)
    x = horizontal(0, timesteps, "time step")
    y = Scale(0, rows, TOP, HEIGHT - BOTTOM, f"{rows} neurons")
    tall = max(1.5, (HEIGHT - BOTTOM - TOP) / rows - 1)
    wide = round(max(0.8, (WIDTH - RIGHT - LEFT) / timesteps * 0.7), 2)
    marks = "".join(f"M{x(float(t))} {y(k + 0.5)}h{wide}" for k, t in zip(*np.nonzero(what.spikes), strict=True))
    described = f"{np.count_nonzero(what.spikes)} spikes of {rows} neurons in {timesteps} steps, on the first sample."
    body = [f'<path class="spikes" style="stroke-width:{min(tall, 4):.1f}" d="{marks}"/>']
    return plot(f"raster{index}", f"{what.population}: spikes over time", described, x, y, body, y_ticks=False)


def bar(start: float, end: float, low: float, high: float, kind: str, whisker: tuple[float, float] | None = None) -> Markup:
    """One row of the waterfall: a bar from one accuracy to another within a range, as wide as its cell."""
    a, b = sorted(100 * (value - low) / (high - low) for value in (start, end))
    width = max(b - a, 0.0)
    parts = [f'<rect class="{kind}" x="{a:.2f}" y="5" width="{max(width, 0.5):.2f}" height="12"/>']
    if whisker is not None:
        left, right = (min(max(100 * (value - low) / (high - low), 0), 100) for value in sorted(whisker))
        parts.append(f'<path class="whisker" d="M{left:.2f} 11H{right:.2f}M{left:.2f} 8v6M{right:.2f} 8v6"/>')
    return Markup(
        f'<svg class="bar" viewBox="0 0 100 22" preserveAspectRatio="none" aria-hidden="true" focusable="false">{"".join(parts)}</svg>'
    )


def mark(value: float, interval: tuple[float, float], low: float, high: float) -> Markup:
    """An accuracy with its interval within a range, as wide as its cell."""
    place, left, right = (100 * (v - low) / (high - low) for v in (value, *interval))
    return Markup(
        '<svg class="bar" viewBox="0 0 100 22" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<path class="grid" d="M0 11H100"/><path class="interval" d="M{left:.2f} 11H{right:.2f}"/>'
        f'<path class="point" d="M{place:.2f} 4V18"/></svg>'
    )


def gauge(what: StateRanges, quantity: str, seen: int, worst: int | None) -> Markup:
    """A magnitude in bits, seen and in the worst case, against the bits that there are."""
    limit = log2(LIMITS[quantity] + 1)
    span = limit + 6
    filled = 100 * log2(seen + 1) / span
    parts = [
        f'<rect class="range" x="0" y="3" width="{100 * limit / span:.2f}" height="16"/>',
        f'<rect class="total" x="0" y="7" width="{min(filled, 100):.2f}" height="8"/>',
        f'<path class="end" d="M{100 * limit / span:.2f} 1V21"/>',
    ]
    if worst:
        parts.append(f'<path class="whisker" d="M{min(100 * log2(worst + 1) / span, 99.5):.2f} 4V18"/>')
    return Markup(
        f'<svg class="bar" viewBox="0 0 100 22" preserveAspectRatio="none" aria-hidden="true" focusable="false">{"".join(parts)}</svg>'
    )
