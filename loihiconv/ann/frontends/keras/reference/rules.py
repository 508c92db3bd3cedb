"""Which layer is evaluated by which rule, and how layers have their channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from loihiconv.ann.frontends.handlers import Handlers
from loihiconv.ann.frontends.keras.network import Layer
from loihiconv.ann.frontends.keras.reference.windows import windows
from loihiconv.core.linear import Array

Rule: TypeAlias = Callable[..., Array]

RULES: Handlers[str] = Handlers()
"""Functions (layer, *inputs) -> result, by a layer's class; its activation comes afterwards."""
rule = RULES.on
"""Register a rule for layers of these classes."""


def last(layer: Layer, x: Array) -> Array:
    """Channels last, however the layer has them."""
    return np.moveaxis(x, 1, -1) if layer.config.get("data_format") == "channels_first" and x.ndim > 2 else x


def back(layer: Layer, y: Array) -> Array:
    """Channels as the layer has them."""
    return np.moveaxis(y, -1, 1) if layer.config.get("data_format") == "channels_first" and y.ndim > 2 else y


def numbers(layer: Layer, key: str, dims: int, default: Any) -> tuple[int, ...]:
    """Integers of the configuration, one for each of so many axes."""
    given = layer.config.get(key)
    given = default if given is None else given
    return tuple(given) if isinstance(given, (list, tuple)) else (int(given),) * dims


def seen_windows(layer: Layer, x: Array, size: Sequence[int], filler: float = 0.0, strides: Sequence[int] | None = None) -> Array:
    """What each of a layer's windows sees: (N, \\*places, \\*size, C)."""
    dims = len(size)
    steps = strides or numbers(layer, "strides", dims, 1)
    return windows(x, size, steps, numbers(layer, "dilation_rate", dims, 1), str(layer.config.get("padding", "valid")), filler)
