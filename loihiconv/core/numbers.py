"""Numbers as a reader wants them: few digits, units, and a word where there is no number.

Whatever a report, a table in Markdown or the command line shows is written here, and here alone. The report and prose get a proper minus
and a space before % that no line breaks at. What people search and paste from, terminals and tables of sweeps, gets plain characters:
`points`, `share`, `bracketed` and `compact`.
"""

from __future__ import annotations

from math import floor, isfinite, isnan, log10
from typing import Any

from loihiconv.core.metric import Metric

NONE = "–"
PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def percent(share: float | None, digits: int = 2) -> str:
    """A share as a percentage, with a proper minus, and none before 0."""
    if share is None or isnan(share):
        return NONE
    text = points(share, digits)
    return (text.removeprefix("-") if not float(text) else _minus(text)) + "\u00a0%"


def interval(pair: tuple[float, float], digits: int = 2) -> str:
    """A percentage's interval."""
    return _minus(f"{points(pair[0], digits)} to {points(pair[1], digits)}")


def points(share: float, digits: int = 2) -> str:
    """A share in per cent, or a loss in percentage points, where the unit stands elsewhere."""
    return f"{100 * share:.{digits}f}"


def share(value: float, digits: int = 2) -> str:
    """A share as a percentage, in plain characters."""
    return f"{points(value, digits)} %"


def bracketed(pair: tuple[float, float], digits: int = 2) -> str:
    """A percentage's interval in brackets, in plain characters."""
    return f"[{points(pair[0], digits)}, {points(pair[1], digits)}]"


def figure(metric: Metric, value: float) -> str:
    """A task's metric, in plain characters."""
    return share(value) if metric.share else _significant(value)


def figure_interval(metric: Metric, pair: tuple[float, float]) -> str:
    """The same of its interval, in brackets."""
    return bracketed(pair) if metric.share else f"[{_significant(pair[0])}, {_significant(pair[1])}]"


def amount(metric: Metric, loss: float) -> str:
    """A loss in prose, without its sign."""
    return f"{points(abs(loss))} percentage points" if metric.share else f"{abs(loss):.3g} of {metric.title}"


def value(metric: Metric, given: float) -> str:
    """A task's metric for readers."""
    return percent(given) if metric.share else _minus(_significant(given)) if isfinite(given) else NONE


def value_interval(metric: Metric, pair: tuple[float, float]) -> str:
    """The same of its interval."""
    return interval(pair) if metric.share else " to ".join(_minus(_significant(end, 3)) if isfinite(end) else NONE for end in pair)


def change(metric: Metric, loss: float, of: float = 1.0) -> str:
    """By how much a figure changes, as seen on it: accuracy that falls by a point is −1.00, an error that grows by a half +0.5.

    What is no share gets as many digits as tell a ten-thousandth ``of`` a value.
    """
    moved = -loss if metric.rises else loss
    text = points(abs(moved)) if metric.share else decimal(abs(moved), _digits(of))
    return "0" if moved == 0 or not (metric.share or float(text.replace(",", ""))) else f"{'−' if moved < 0 else '+'}{text}"


def change_interval(metric: Metric, pair: tuple[float, float], of: float = 1.0) -> str:
    """The interval of a change, from that of the loss."""
    low, high = (-pair[1], -pair[0]) if metric.rises else pair
    return interval((low + 0.0, high + 0.0)) if metric.share else f"{decimal(low, _digits(of))} to {decimal(high, _digits(of))}"


def _digits(of: float) -> int:
    """Digits behind the point that tell a ten-thousandth of a value."""
    return max(0, 4 - floor(log10(abs(of)))) if of and isfinite(of) else 4


def number(value: float | None, digits: int = 3) -> str:
    """A plain number with so many significant digits."""
    if value is None or not isfinite(value):
        return NONE
    return _minus(f"{value:.{digits}g}")


def decimal(value: float, digits: int) -> str:
    """A number with so many digits behind the point, and thousands apart; no minus before 0."""
    text = f"{value:,.{digits}f}"
    return _minus(text if float(text.replace(",", "")) else text.removeprefix("-"))


def count(value: float | None) -> str:
    """A whole number with thousands apart."""
    return NONE if value is None else decimal(value, 0)


def counted(number: int, noun: str) -> str:
    """So many of something: "1 sample", "1,024 samples"."""
    return f"{count(number)} {noun}" + ("" if number == 1 else "s")


def short(value: float) -> str:
    """A large number with a prefix: 1.45 M."""
    size, prefix = _prefix(value)
    return f"{value / size:.3g} {prefix}" if prefix else f"{value:.3g}"


def compact(value: float) -> str:
    """Three digits and a prefix, as narrow columns hold them: 450k, 1.45M."""
    size, prefix = _prefix(value)
    if not prefix:
        return f"{value:.0f}"
    scaled = value / size
    return f"{scaled:.{max(0, 3 - len(str(int(scaled))))}f}{prefix}"


def size(shape: tuple[int, ...], times: str = "×") -> str:
    """A shape as 16×8×8."""
    return times.join(map(str, shape))


def in_bytes(value: float) -> str:
    """Bytes with a binary prefix."""
    for unit, power in (("MiB", 20), ("KiB", 10)):
        if value >= 2**power:
            return f"{value / 2**power:.3g} {unit}"
    return f"{value:.0f} B"


def setting(value: Any, none: str = NONE) -> str:
    """A setting as a reader writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return none if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def quantity(value: Any) -> str:
    """A number, an interval or a text of which no more is known."""
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, list):
        return " to ".join(f"{v:.4f}" for v in value)
    return str(value)


def _significant(value: float, digits: int = 4) -> str:
    """So many significant digits, zeros at the end among them."""
    return f"{value:#.{digits}g}".removesuffix(".")


def _prefix(value: float) -> tuple[float, str]:
    return next(((size, prefix) for size, prefix in PREFIXES if abs(value) >= size), (1.0, ""))


def _minus(text: str) -> str:
    return text.replace("-", "−")
