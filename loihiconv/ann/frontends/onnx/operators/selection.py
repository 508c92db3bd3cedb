"""Parts of tensors, and tensors put together."""

# ruff: noqa: D103  each function is named after what it carries out, and says nothing that its decorator does not

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from loihiconv.ann.frontends.onnx.graph import Operation
from loihiconv.ann.frontends.onnx.operators.registry import axis_of, constant, integers, operator


@operator("Concat")
def concat(op: Operation, *parts: Any) -> Any:
    axis = axis_of(op, parts[0], int(op.get("axis", 1)), batch=True)
    if op.live and axis:  # constants of one sample stand beside a batch
        samples = max(int(part.shape[0]) for part in parts)
        parts = tuple(p.expand(samples, *p.shape[1:]) if isinstance(p, Tensor) and p.shape[0] == 1 else p for p in parts)
    return parts[0] if len(parts) == 1 else torch.cat(parts, axis)


@operator("Split")
def split(op: Operation, x: Any, sizes: Any = None) -> tuple[Any, ...]:
    axis = axis_of(op, x, int(op.get("axis", 0)))
    given = op.get("split", sizes)
    count, whole = len(op.outputs), int(x.shape[axis])
    if given is not None:
        parts = integers(op, given, "sizes")
    else:
        part = -(-whole // count)
        parts = tuple(min(part, whole - i * part) for i in range(count))
    if len(parts) != count or sum(parts) != whole or min(parts) < 0:
        raise op.broken(f"splits {whole} into {parts} for {count} results")
    starts = [sum(parts[:i]) for i in range(count)]
    return tuple(_part(x, {axis: slice(start, start + size, 1)}) for start, size in zip(starts, parts, strict=True))


@operator("Slice")
def slice_(op: Operation, x: Any, starts: Any = None, ends: Any = None, axes: Any = None, steps: Any = None) -> Any:
    begins, stops = integers(op, op.get("starts", starts), "starts"), integers(op, op.get("ends", ends), "ends")
    given = op.get("axes", axes)
    along = tuple(range(len(begins))) if given is None else integers(op, given, "axes")
    by = (1,) * len(begins) if steps is None else integers(op, steps, "steps")
    if not len(begins) == len(stops) == len(along) == len(by) or 0 in by:
        raise op.broken(f"has starts {begins}, ends {stops}, axes {along} and steps {by}")
    chosen: dict[int, slice] = {}
    for begin, stop, axis, step in zip(begins, stops, along, by, strict=True):
        axis = axis_of(op, x, axis, batch=True)
        first, last, step = slice(begin, stop, step).indices(int(x.shape[axis]))
        if (first, last, step) == (0, int(x.shape[axis]), 1):
            continue
        axis_of(op, x, axis)
        if step < 0:
            x = torch.flip(x, (axis,))
            size = int(x.shape[axis])
            first, last, step = size - 1 - first, size - 1 - last, -step
        chosen[axis] = slice(first, last, step)
    return _part(x, chosen)


def _part(x: Any, chosen: dict[int, slice]) -> Any:
    return x[tuple(chosen.get(axis, slice(None)) for axis in range(max(chosen) + 1))] if chosen else x


@operator("Gather")
def gather(op: Operation, x: Any, indices: Any) -> Any:
    axis = axis_of(op, x, int(op.get("axis", 0)))
    at, size = constant(op, indices, "indices"), int(x.shape[axis])
    numbers = [n + size if n < 0 else n for n in integers(op, at, "indices")]
    if any(not 0 <= n < size for n in numbers):
        raise op.broken(f"takes indices {numbers[:5]} of an axis of {size}")
    before = (slice(None),) * axis
    if at.ndim == 0:
        one: Any = (*before, numbers[0])
        return x[one]
    if at.ndim == 1 and numbers and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return _part(x, {axis: slice(numbers[0], numbers[-1] + 1)})
    chosen = torch.index_select(x, axis, torch.tensor(numbers, dtype=torch.int64))
    return chosen if at.ndim == 1 else torch.reshape(chosen, (*x.shape[:axis], *at.shape, *x.shape[axis + 1 :]))
