"""A board as neurons see it that take less than its chip has."""

from __future__ import annotations

from loihiconv.core.fixed_point import ALL_FORMATS, NumberFormats
from loihiconv.hardware.board import Board


def threshold_format(ceiling: int, mantissa_bits: int, exponent_max: int) -> tuple[int, int]:
    """Mantissa bits m and largest exponent e for which (2^m - 1) 2^e comes closest to a ceiling from below.

    Among equals the longer mantissa. With thresholds beyond the mantissa's range the exponent is at least 1, so they are even.

    Parameters
    ----------
    ceiling : int
    mantissa_bits, exponent_max : int
        What the board has; with 17 bits and no exponent, all thresholds are integers and any smaller format is among them.
    """
    whole = exponent_max == 0
    formats = [(m, e) for m in range(1, mantissa_bits + 1) for e in range((mantissa_bits - m if whole else exponent_max) + 1)]
    # At least 6 bits: a threshold may then lie at most 1/32 below the largest gain.
    fitting = [(m, e) for m, e in formats if (2**m - 1) << e <= ceiling and (m >= 6 or ceiling < 63)]
    return max(fitting, key=lambda f: ((2 ** f[0] - 1) << f[1], f[0]))


def with_thresholds(board: Board, ceiling: int, source: str, note: str, formats: NumberFormats = ALL_FORMATS) -> Board:
    """A board for neurons whose thresholds are limited to a ceiling, and to fewer formats; ``source`` and ``note`` say why."""
    bits, exponent = threshold_format(ceiling, board.vth_mantissa_bits.value, board.vth_exponent_max.value)
    why = {"source": source, "note": note}
    limits = {
        "vth_mantissa_bits": board.vth_mantissa_bits.model_copy(update={"value": bits, **why}),
        "vth_exponent_max": board.vth_exponent_max.model_copy(update={"value": exponent, **why}),
    }
    return board.narrowed(formats, **limits)
