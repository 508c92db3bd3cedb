"""Operators that move values and change none."""

# ruff: noqa: D103  each function is named after what it carries out, and says nothing that its decorator does not

from __future__ import annotations

from math import prod
from typing import Any

import torch
import torch.nn.functional as F

from loihiconv.ann.frontends.onnx.graph import Operation
from loihiconv.ann.frontends.onnx.operators.registry import axis_of, check_size, integers, number, operator
from loihiconv.ann.frontends.onnx.windows import flat_pads

_MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}


@operator("Reshape")
def reshape(op: Operation, x: Any, shape: Any = None) -> Any:
    wanted = list(integers(op, op.get("shape", shape), "shape"))
    if not op.get("allowzero", 0):
        wanted = [int(x.shape[i]) if size == 0 and i < len(x.shape) else size for i, size in enumerate(wanted)]
    return _reshaped(op, x, wanted)


@operator("Flatten")
def flatten(op: Operation, x: Any) -> Any:
    axis = int(op.get("axis", 1))
    axis = axis + len(x.shape) if axis < 0 else axis
    return _reshaped(op, x, [prod(x.shape[:axis]), prod(x.shape[axis:])])


@operator("Squeeze")
def squeeze(op: Operation, x: Any, axes: Any = None) -> Any:
    given = op.get("axes", axes)
    if given is None:
        chosen = {axis for axis, size in enumerate(x.shape) if size == 1 and not (axis == 0 and op.live)}
    else:
        chosen = {axis_of(op, x, axis) for axis in integers(op, given, "axes")}
    if wrong := [axis for axis in chosen if x.shape[axis] != 1]:
        raise op.broken(f"takes axis {wrong[0]} of shape {tuple(x.shape)} away, which is not of size 1")
    return _reshaped(op, x, [int(size) for axis, size in enumerate(x.shape) if axis not in chosen])


@operator("Unsqueeze")
def unsqueeze(op: Operation, x: Any, axes: Any = None) -> Any:
    given = integers(op, op.get("axes", axes), "axes")
    rank = len(x.shape) + len(given)
    if any(not -rank <= axis < rank for axis in given) or rank > 16:
        raise op.broken(f"adds axes {given} to shape {tuple(x.shape)}")
    added, rest = {axis % rank for axis in given}, [int(size) for size in x.shape]
    return torch.reshape(x, tuple(1 if axis in added else rest.pop(0) for axis in range(rank)))


def _reshaped(op: Operation, x: Any, wanted: list[int]) -> Any:
    """Reshape; a batch size that stands in the file is that of the samples at hand."""
    if op.live and op.batch is not None and wanted and wanted[0] == op.batch:
        wanted = [int(x.shape[0]), *wanted[1:]]
    known = prod(size for size in wanted if size != -1)
    whole = prod(int(size) for size in x.shape)
    if wanted.count(-1) > 1 or min(wanted, default=0) < -1 or (whole % known if -1 in wanted and known else known != whole):
        raise op.broken(f"turns shape {tuple(x.shape)} into {tuple(wanted)}")
    sizes = tuple(whole // known if size == -1 else size for size in wanted)
    return x if sizes == tuple(x.shape) else torch.reshape(x, sizes)


@operator("Transpose")
def transpose(op: Operation, x: Any) -> Any:
    order = tuple(int(axis) for axis in op.get("perm", range(len(x.shape) - 1, -1, -1)))
    if sorted(order) != list(range(len(x.shape))):
        raise op.broken(f"puts axes of shape {tuple(x.shape)} in the order {order}")
    if [axis for axis in order if x.shape[axis] != 1] == [axis for axis in range(len(order)) if x.shape[axis] != 1]:
        return _reshaped(op, x, [int(x.shape[axis]) for axis in order])  # axes of size 1 change places: all values stay where they are
    return torch.permute(x, order)


@operator("Pad")
def pad(op: Operation, x: Any, pads: Any = None, value: Any = None, axes: Any = None) -> Any:
    rank, around = len(x.shape), integers(op, op.get("pads", pads), "pads")
    along = [axis_of(op, x, axis, batch=True) for axis in (range(rank) if axes is None else integers(op, axes, "axes"))]
    if len(around) != 2 * len(along):
        raise op.broken(f"has {len(around)} pads for {len(along)} axes")
    begin, end = [0] * rank, [0] * rank
    for i, axis in enumerate(along):
        begin[axis], end[axis] = around[i], around[i + len(along)]
    padded = [axis for axis in range(rank) if begin[axis] or end[axis]]
    if not padded:
        return x
    first = axis_of(op, x, padded[0])
    check_size(op, tuple(int(n) + b + e for n, b, e in zip(x.shape, begin, end, strict=True)))
    mode = op.get("mode", "constant")
    if mode not in _MODES:
        raise op.broken(f"has mode {mode!r}")
    if mode != "constant":
        return _mirrored(op, x, begin, end, mode)
    filler = 0.0 if op.get("value", value) is None else number(op, op.get("value", value), "value")
    return F.pad(x, flat_pads(begin[first:], end[first:]), value=filler)


def _mirrored(op: Operation, x: Any, begin: list[int], end: list[int], mode: str) -> Any:
    """Padding with values of the input, which PyTorch does on the last axes of as many as it takes."""
    first = next(axis for axis in range(len(begin)) if begin[axis] or end[axis])
    dims = len(begin) - first
    if first < len(begin) - 3 or first < 1:
        raise op.refuse(f"has mode {mode!r} on axis {first} of {len(begin)}", "pad the last axes only")
    if first > 1 and len(begin) <= 5:
        return F.pad(x, flat_pads(begin[2:], end[2:]), _MODES[mode])
    return F.pad(torch.reshape(x, (-1, 1, *x.shape[first:])), flat_pads(begin[-dims:], end[-dims:]), _MODES[mode]).reshape(
        *x.shape[:first], *(int(n) + b + e for n, b, e in zip(x.shape[first:], begin[first:], end[first:], strict=True))
    )


@operator("DepthToSpace")
def depth_to_space(op: Operation, x: Any) -> Any:
    block, (n, channels, height, width) = _block(op, x)
    rest = channels // block**2
    if channels % block**2:
        raise op.broken(f"cannot divide {channels} channels by {block}x{block}")
    if op.get("mode", "DCR") == "CRD":
        return F.pixel_shuffle(x, block)
    parts = torch.permute(torch.reshape(x, (n, block, block, rest, height, width)), (0, 3, 4, 1, 5, 2))
    return torch.reshape(parts, (n, rest, height * block, width * block))


@operator("SpaceToDepth")
def space_to_depth(op: Operation, x: Any) -> Any:
    block, (n, channels, height, width) = _block(op, x)
    if height % block or width % block:
        raise op.broken(f"cannot divide {height}x{width} by {block}")
    parts = torch.reshape(x, (n, channels, height // block, block, width // block, block))
    return torch.reshape(torch.permute(parts, (0, 3, 5, 1, 2, 4)), (n, channels * block**2, height // block, width // block))


def _block(op: Operation, x: Any) -> tuple[int, tuple[int, int, int, int]]:
    block = int(op.get("blocksize", 0))
    if block < 1 or len(x.shape) != 4:
        raise op.broken(f"has blocks of {block} on shape {tuple(x.shape)}")
    n, channels, height, width = (int(size) for size in x.shape)
    return block, (n, channels, height, width)
