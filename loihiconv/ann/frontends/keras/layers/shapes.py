"""Layers that move values, pad and crop."""

# ruff: noqa: D103  each function is named after what it translates, and says nothing that its decorator does not

from __future__ import annotations

from typing import Any

import numpy as np

from loihiconv.ann.frontends.keras.layers.registry import Value, Work, layer
from loihiconv.core.errors import InvalidModel


@layer("Flatten")
def flatten(work: Work, x: Value) -> Value:
    tensor = work.logical(x)
    if work.channels_first and x.rank > 2:  # what was first is last, then all is one axis
        tensor = work.add("Transpose", tensor, perm=(0, *range(2, x.rank), 1))
    return Value(work.add("Flatten", tensor), 2) if x.rank != 2 else Value(tensor, 2)


@layer("Reshape")
def reshape(work: Work, x: Value) -> Value:
    target = work.config.get("target_shape")
    if not isinstance(target, list) or not all(isinstance(n, int) for n in target) or target.count(-1) > 1:
        raise InvalidModel(f"has target_shape {target}", where=work.layer.name)
    return Value(work.add("Reshape", work.logical(x), np.array([0, *target])), len(target) + 1)


@layer("Permute")
def permute(work: Work, x: Value) -> Value:
    dims = work.config.get("dims")
    if not isinstance(dims, list) or sorted(map(int, dims)) != list(range(1, x.rank)):
        raise InvalidModel(f"has dims {dims} for {x.rank - 1} axes", where=work.layer.name)
    return Value(work.add("Transpose", work.logical(x), perm=(0, *map(int, dims))), x.rank)


@layer("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
def zero_padding(work: Work, x: Value) -> Value:
    return _padded(work, x, _pairs(work, "padding", x.rank - 2), 1)


@layer("Cropping1D", "Cropping2D", "Cropping3D")
def cropping(work: Work, x: Value) -> Value:
    return _padded(work, x, _pairs(work, "cropping", x.rank - 2), -1)


def _pairs(work: Work, key: str, dims: int) -> list[tuple[int, int]]:
    """Numbers before and after each axis, of which Keras takes one, one per axis, or two per axis."""
    given = work.config.get(key, 1)
    if dims == 1 and isinstance(given, (list, tuple)) and len(given) == 2:
        given = [given]
    each: Any = given if isinstance(given, (list, tuple)) else [given] * dims
    pairs = [tuple(n) if isinstance(n, (list, tuple)) else (n, n) for n in each]
    if len(pairs) != dims or any(len(pair) != 2 or not all(isinstance(n, int) and n >= 0 for n in pair) for pair in pairs):
        raise InvalidModel(f"has {key} {given} for {dims} axes", where=work.layer.name)
    return [(pair[0], pair[1]) for pair in pairs]


def _padded(work: Work, x: Value, pairs: list[tuple[int, int]], sign: int) -> Value:
    begin, end = ([sign * pair[side] for pair in pairs] for side in (0, 1))
    return work.result(work.add("Pad", work.image(x), np.array([0, 0, *begin, 0, 0, *end])), x.rank)


@layer("UpSampling1D", "UpSampling2D")
def up_sampling(work: Work, x: Value) -> Value:
    dims = x.rank - 2
    factors, mode = work.numbers("size", dims, 2), work.config.get("interpolation", "nearest")
    rules = {
        "nearest": {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        "bilinear": {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
    }
    if mode not in rules or dims not in (1, 2):
        raise work.layer.refuse(f"has interpolation {mode!r} along {dims} axes", "use nearest or bilinear interpolation of images")
    tensor = work.image(x)
    if dims == 1:
        tensor = work.add("Unsqueeze", tensor, np.array([2]))
    scales = np.array([1, 1, *(1,) * (2 - dims), *factors], np.float32)
    tensor = work.add("Resize", tensor, None, scales, **rules[mode])
    if dims == 1:
        tensor = work.add("Squeeze", tensor, np.array([2]))
    return work.result(tensor, x.rank)
