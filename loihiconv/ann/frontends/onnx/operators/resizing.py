"""Operators that scale images up and down."""

# ruff: noqa: D103  each function is named after what it carries out, and says nothing that its decorator does not

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from loihiconv.ann.frontends.onnx.graph import Operation
from loihiconv.ann.frontends.onnx.operators.registry import axis_of, check_size, constant, integers, operator

_HALF, _CORNERS = ("half_pixel", "pytorch_half_pixel"), "align_corners"
_EDGE = 1e-6
"""Above rounding errors of a pixel's place, below anything that is meant."""


@operator("Upsample")
def upsample(op: Operation, x: Any, scales: Any = None) -> Any:
    factors = op.get("scales", scales)
    return _resized(op, x, _floats(op, factors), None, "asymmetric", "floor")


@operator("Resize")
def resize(op: Operation, x: Any, roi: Any = None, scales: Any = None, sizes: Any = None) -> Any:
    if op.opset < 11:  # the scales come second, and pixels are placed as Upsample does
        return _resized(op, x, _floats(op, roi), None, "asymmetric", "floor")
    if op.get("antialias", 0) or op.get("exclude_outside", 0) or op.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise op.refuse("smooths or keeps the aspect ratio", "resize plainly, or before samples enter the network")
    along = [axis_of(op, x, int(a), batch=True) for a in op.get("axes", range(len(x.shape)))]
    whole = [int(n) for n in x.shape]
    if sizes is not None and (not isinstance(sizes, Tensor) or sizes.numel()):
        for axis, size in zip(along, integers(op, sizes, "sizes"), strict=True):
            whole[axis] = size if axis or not op.live else whole[axis]
        return _resized(op, x, [n / int(o) for n, o in zip(whole, x.shape, strict=True)], whole, *_rules(op))
    factors = [1.0] * len(whole)
    for axis, factor in zip(along, _floats(op, scales), strict=True):
        factors[axis] = factor
    return _resized(op, x, factors, None, *_rules(op))


def _rules(op: Operation) -> tuple[str, str]:
    return op.get("coordinate_transformation_mode", "half_pixel"), op.get("nearest_mode", "round_prefer_floor")


def _floats(op: Operation, values: Any) -> list[float]:
    return [float(v) for v in (values if isinstance(values, tuple) else constant(op, values, "scales").flatten().tolist())]


def _resized(op: Operation, x: Any, factors: list[float], sizes: list[int] | None, place: str, nearest: str) -> Any:
    """Resize height and width."""
    if len(factors) != 4 or len(x.shape) != 4 or factors[:2] != [1.0, 1.0]:
        raise op.refuse(f"scales shape {tuple(x.shape)} by {factors}", "scale height and width of images only")
    before = [int(n) for n in x.shape[2:]]
    after = sizes[2:] if sizes is not None else [int(n * f + _EDGE) for n, f in zip(before, factors[2:], strict=True)]
    check_size(op, (*(int(n) for n in x.shape[:2]), *after))
    mode = op.get("mode", "nearest")
    if min(after) < 1 or mode not in ("nearest", "linear", "bilinear"):
        raise op.refuse(f"resizes {before} to {after} with mode {mode!r}", "use nearest or linear interpolation")
    places = [_places(op, n, m, f, place) for n, m, f in zip(before, after, factors[2:], strict=True)]
    if after == before and all(torch.equal(p, torch.arange(n).double()) for p, n in zip(places, before, strict=True)):
        return x
    if mode == "nearest":
        return _nearest(op, x, places, nearest)
    return _linear(x, places, place)


def _places(op: Operation, before: int, after: int, factor: float, place: str) -> Tensor:
    """Where each pixel of the result lies in the input; in float32, as onnxruntime does it, since a place may lie on a border."""
    at = torch.arange(after, dtype=torch.float32)
    if after == 1 and place in ("pytorch_half_pixel", _CORNERS):
        return torch.zeros(1, dtype=torch.float64)
    if place in _HALF:
        return ((at + 0.5) / factor - 0.5).double()
    if place == _CORNERS:
        return (at * (before - 1) / (after - 1)).double()
    if place == "asymmetric":
        return (at / factor).double()
    raise op.refuse(f"places pixels by {place!r}", f"use half_pixel, asymmetric or {_CORNERS}")


def _nearest(op: Operation, x: Any, places: list[Tensor], rule: str) -> Any:
    rules: dict[str, Callable[[Tensor], Tensor]] = {
        "floor": torch.floor,
        "ceil": torch.ceil,
        "round_prefer_floor": lambda at: torch.ceil(at - 0.5),
        "round_prefer_ceil": lambda at: torch.floor(at + 0.5),
    }
    if rule not in rules:
        raise op.broken(f"has nearest_mode {rule!r}")
    before, after = tuple(x.shape[2:]), tuple(len(p) for p in places)
    chosen = [rules[rule](p).clamp(0, n - 1).long() for p, n in zip(places, before, strict=True)]
    plain = [(torch.arange(m) * n) // m for n, m in zip(before, after, strict=True)]
    if all(torch.equal(a, b) for a, b in zip(chosen, plain, strict=True)):
        return F.interpolate(x, size=after, mode="nearest")
    return torch.index_select(torch.index_select(x, 2, chosen[0]), 3, chosen[1])


def _linear(x: Any, places: list[Tensor], place: str) -> Any:
    before, after = tuple(int(n) for n in x.shape[2:]), tuple(len(p) for p in places)
    corners = place == _CORNERS
    plain = [_places_in_torch(n, m, corners) for n, m in zip(before, after, strict=True)]
    clamped = [p.clamp(0, n - 1) for p, n in zip(places, before, strict=True)]
    if all(torch.allclose(a, b, atol=_EDGE) for a, b in zip(clamped, plain, strict=True)):
        return F.interpolate(x, size=after, mode="bilinear", align_corners=corners)
    rows, columns = (_hats(p, n) for p, n in zip(clamped, before, strict=True))
    return torch.matmul(torch.matmul(rows, x), columns.T)


def _places_in_torch(before: int, after: int, corners: bool) -> Tensor:
    at = torch.arange(after, dtype=torch.float64)
    if corners:
        return at * ((before - 1) / (after - 1) if after > 1 else 0)
    return ((at + 0.5) * before / after - 0.5).clamp(0, before - 1)


def _hats(at: Tensor, before: int) -> Tensor:
    """Weights (after, before) of linear interpolation."""
    return (1 - (at[:, None] - torch.arange(before)).abs()).clamp(min=0).float()
