"""Integer formats of the chip: small pure functions, each with its formula."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loihiconv.core.linear import Array

BIAS_MANTISSA_BITS = 13
"""Signed width of ``bias_mant``: -4096 to 4095."""
BIAS_EXPONENT_MAX = 7
"""``bias_exp`` has 3 bits: 0 to 7."""
BIAS_MAX = (2 ** (BIAS_MANTISSA_BITS - 1) - 1) << BIAS_EXPONENT_MAX
"""Largest bias, 4095 * 2^7 = 524160, in units of v."""

V_MAX = 2**23 - 1
"""u and v are signed 24-bit registers; v saturates at +-V_MAX."""


@dataclass(frozen=True)
class NumberFormats:
    """What of the chip's formats a way to the chip leaves a network; by default all.

    Parameters
    ----------
    bias_exponents : (smallest, largest)
        Of ``bias_exp``.
    weight_exponents : bool
        Whether weights may have exponents.
    readout_max : int
        Largest potential of a readout, upwards and downwards.
    """

    bias_exponents: tuple[int, int] = (0, BIAS_EXPONENT_MAX)
    weight_exponents: bool = True
    readout_max: int = V_MAX

    @property
    def bias_max(self) -> int:
        """Largest bias, in units of v."""
        return int((2 ** (BIAS_MANTISSA_BITS - 1) - 1) << self.bias_exponents[1])


ALL_FORMATS = NumberFormats()


def split_bias(value: Array, formats: NumberFormats = ALL_FORMATS) -> tuple[Array, Array]:
    """Nearest ``bias_mant * 2^bias_exp`` of each value, with the smallest exponent that fits.

    Parameters
    ----------
    value : array
        Biases in units of v, |value| <= ``formats.bias_max``; fractions are rounded, halves to even.
    formats : NumberFormats
        The exponents that there are.

    Returns
    -------
    mantissa, exponent : int32 arrays of the same shape

    Raises
    ------
    ValueError
        If a value is larger than that.
    """
    value, (smallest, largest) = np.asarray(value, np.float64), formats.bias_exponents
    if value.size and float(np.abs(value).max()) > formats.bias_max:
        raise ValueError(f"|bias| {np.abs(value).max():.0f} is larger than {formats.bias_max} = 4095 * 2^{largest}")
    mantissa_max = 2 ** (BIAS_MANTISSA_BITS - 1) - 1
    exponent = np.full(value.shape, smallest, np.int32)
    for _ in range(smallest, largest):
        exponent += np.abs(np.rint(value / 2.0**exponent)) > mantissa_max
    return np.rint(value / 2.0**exponent).astype(np.int32), exponent


def join_bias(mantissa: Array, exponent: Array) -> Array:
    """``bias_mant * 2^bias_exp`` as int32, in units of v."""
    return np.left_shift(np.asarray(mantissa, np.int32), np.asarray(exponent, np.int32))


def round_bias(value: Array, formats: NumberFormats = ALL_FORMATS) -> Array:
    """Nearest bias that the chip can hold, as int32 in units of v; see `split_bias`."""
    return join_bias(*split_bias(value, formats))


def mixed(weight: Array) -> bool:
    """Whether weights are of both signs."""
    return bool((weight < 0).any() and (weight > 0).any())


def weight_limit(weight: Array, weight_bits: int) -> int:
    """Largest magnitude that `round_weights` returns for weights of these signs."""
    return int(256 - 2 ** (8 - weight_bits + mixed(weight)))


def round_weights(weight: Array, *, weight_bits: int = 8, even: bool | None = None) -> Array:
    """Nearest integer weights of the chip.

    With both signs present one bit carries the sign, and magnitudes are multiples of two:
    -2^n + 2, ..., -2, 0, 2, ..., 2^n - 2 with n = ``weight_bits``. With one sign only, all integers up to 2^n - 1.
    Fewer than 8 bits coarsen the step, as Lava does: multiples of 2^(8 - weight_bits).

    Parameters
    ----------
    weight : float array, already scaled to integers' range
    weight_bits : int, 1 to 8
    even : bool or None
        Whether signs mix; None looks at ``weight``.
    """
    step = 2 ** (8 - weight_bits + (mixed(weight) if even is None else even))
    limit = 256 - step
    return np.asarray((step * np.clip(np.rint(np.asarray(weight, np.float64) / step), -limit // step, limit // step)).astype(np.int32))
