"""Boards for neurons that take less than their chip has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loihiconv.conversion.narrowing import threshold_format, with_thresholds
from loihiconv.core.fixed_point import ALL_FORMATS, NumberFormats
from loihiconv.hardware.board import load_board


@given(ceiling=st.integers(2, 8190), bits=st.sampled_from([(17, 0), (8, 7)]))
def test_the_threshold_format_stays_below_its_ceiling(ceiling: int, bits: tuple[int, int]) -> None:
    mantissa, exponent = threshold_format(ceiling, *bits)
    assert (2**mantissa - 1) << exponent <= ceiling
    assert mantissa <= bits[0]
    assert exponent <= bits[1] or bits[1] == 0
    assert ceiling < 63 or (2**mantissa - 1) << exponent >= ceiling / 2


def test_a_narrowed_board_is_another_one() -> None:
    board, formats = load_board("kapoho_point"), NumberFormats(weight_exponents=False)
    narrowed = with_thresholds(board, 65535, "a test", "why", formats)
    assert (narrowed.vth_max, narrowed.formats, narrowed.vth_mantissa_bits.note) == (65535, formats, "why")
    assert (board.vth_max, board.formats) == (2**17 - 1, ALL_FORMATS)
