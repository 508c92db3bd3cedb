"""Numbers as a reader wants them: few digits, units, and a word where there is no number."""

from __future__ import annotations

from math import isfinite, isnan

NONE = "–"


def percent(share: float | None, digits: int = 2) -> str:
    """A share as a percentage, with a proper minus, and none before 0."""
    if share is None or isnan(share):
        return NONE
    text = f"{100 * share:.{digits}f}"
    return (text.removeprefix("-") if not float(text) else text.replace("-", "−")) + "\u00a0%"


def signed_points(loss: float) -> str:
    """A change of accuracy in percentage points, with a proper minus; exactly 0 is just that."""
    if loss == 0:
        return "0"
    return f"{'−' if loss < 0 else '+'}{abs(100 * loss):.2f}"


def interval(pair: tuple[float, float], digits: int = 2) -> str:
    """A percentage's interval."""
    return f"{100 * pair[0]:.{digits}f} to {100 * pair[1]:.{digits}f}".replace("-", "−")


def number(value: float | None, digits: int = 3) -> str:
    """A plain number with so many significant digits."""
    if value is None or not isfinite(value):
        return NONE
    return f"{value:.{digits}g}".replace("-", "−")


def count(value: float | None) -> str:
    """A whole number with thousands apart."""
    return NONE if value is None else f"{value:,.0f}".replace("-", "−")


def short(value: float) -> str:
    """A large number with a prefix: 1.45 M."""
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {prefix}"
    return f"{value:.3g}"


def size(shape: tuple[int, ...]) -> str:
    """A shape as 16×8×8."""
    return "×".join(map(str, shape))


def in_bytes(value: float) -> str:
    """Bytes with a binary prefix."""
    for unit, power in (("MiB", 20), ("KiB", 10)):
        if value >= 2**power:
            return f"{value / 2**power:.3g} {unit}"
    return f"{value:.0f} B"
