"""Shapes of samples as model files declare them, which may leave axes open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from loihiconv.core.linear import Shape

OpenShape: TypeAlias = "tuple[int | None, ...]"
"""Shape of a sample, with None for an axis of any size."""


def whole(declared: Sequence[OpenShape | None]) -> tuple[Shape, ...] | None:
    """The shapes, if no axis of any is open."""
    known = tuple(tuple(size for size in shape or () if size is not None) for shape in declared)
    complete = all(shape is not None and len(shape) == len(sizes) for shape, sizes in zip(declared, known, strict=True))
    return known if complete else None


def fits(shape: Shape, declared: OpenShape | None) -> bool:
    """Whether a shape is one that is declared."""
    return declared is None or (len(declared) == len(shape) and all(n in (None, m) for n, m in zip(declared, shape, strict=True)))
