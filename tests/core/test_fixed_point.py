"""Integer formats by hand, and as projections: what is representable stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihiconv.core.fixed_point import BIAS_MAX, V_MAX, NumberFormats, join_bias, round_bias, round_weights, split_bias


@given(st.integers(-4095, 4095), st.integers(0, 7))
def test_what_is_representable_stays(mantissa: int, exponent: int) -> None:
    value = np.array([mantissa << exponent])
    assert round_bias(value).tolist() == value.tolist()
    assert join_bias(*split_bias(value)).tolist() == value.tolist()


def test_the_smallest_exponent_that_fits() -> None:
    """4095 fits, 4096 needs the next exponent; 4095.4 rounds down before it is asked, 8191 is half a step from 8190 and 8192."""
    mantissa, exponent = split_bias(np.array([4095, 4096, 4095.4, 8191, -8190, BIAS_MAX]))
    assert exponent.tolist() == [0, 1, 0, 2, 1, 7]
    assert mantissa.tolist() == [4095, 2048, 4095, 2048, -4095, 4095]
    with pytest.raises(ValueError, match=r"\|bias\| 524161 is larger than 524160"):
        split_bias(np.array([BIAS_MAX + 1]))


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("even", [False, True])
def test_weights_are_multiples_of_their_step_up_to_their_limit(bits: int, even: bool) -> None:
    step = 2 ** (8 - bits + even)
    grid = np.arange(-(256 - step), 256, step)
    asked = np.linspace(-300, 300, 2401)
    found = round_weights(asked, weight_bits=bits, even=even)
    assert set(found.tolist()) <= set(grid.tolist())
    inside = np.abs(asked) <= 256 - step
    assert np.abs(found - asked)[inside].max() <= step / 2
    assert np.abs(found[~inside]).min() == 256 - step
    assert round_weights(grid.astype(float), weight_bits=bits, even=even).tolist() == grid.tolist()


def test_ends_of_registers() -> None:
    """13 signed bits shifted by 7, and 24 signed bits of which the smallest number is not used."""
    assert BIAS_MAX == 4095 * 128
    assert V_MAX == 8_388_607


def test_signs_that_mix_cost_a_bit() -> None:
    assert round_weights(np.array([3.0, 1.0, 0.0])).tolist() == [3, 1, 0]
    assert round_weights(np.array([-3.0, -1.0, 0.0])).tolist() == [-3, -1, 0]
    assert (round_weights(np.array([3.0, -1.0, 254.9])) % 2 == 0).all()


def test_biases_with_fewer_exponents() -> None:
    formats = NumberFormats(bias_exponents=(6, 6))
    assert formats.bias_max == 4095 * 64
    assert round_bias(np.array([31, 33, -97, 4095 * 64]), formats).tolist() == [0, 64, -128, 4095 * 64]
    with pytest.raises(ValueError, match=r"262112 is larger than 262080 = 4095 \* 2\^6"):
        split_bias(np.array([4095 * 64 + 32]), formats)
    assert NumberFormats().bias_max == BIAS_MAX
