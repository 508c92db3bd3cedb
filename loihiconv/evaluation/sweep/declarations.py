"""What can be swept: the settings of a conversion, what stands for those not given, and the width of weights."""

from __future__ import annotations

from collections.abc import Mapping

from loihiconv.conversion.declaration import Declaration, Setting, declaration
from loihiconv.conversion.settings import DECLARED, OPTIMIZE, Optimize, SettingOptions

WEIGHT_BITS = declaration(
    "weight_bits", int | None, Setting("Bits of a weight, at most what the board has.", low=2, none="leaves the board's"), None
)
"""With one bit nothing would be left beside the sign."""

AXES: Mapping[str, Declaration] = {**DECLARED, "weight_bits": WEIGHT_BITS, "optimize": OPTIMIZE}
"""All axes by name."""


class SweepOptions(SettingOptions, total=False):
    """Names and types of all axes, for type checkers."""

    timesteps: int
    weight_bits: int | None
    optimize: Optimize
