"""Operations that only arrange values: whatever their arguments, which value went where is read off a numbered example.

Constants are told from numbers by a second example whose numbers are larger: they stay as they are, and are added at the end.
So reshaping, permuting, slicing, splitting, joining, repeating, rolling, padding, masking, assigning to a part, and upsampling to the
nearest are one handler.
"""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

import operator
from math import prod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from loihiconv.ann.frontends.layers.stacks import APART, Stack, stacked
from loihiconv.ann.frontends.registry import Call, Result, Signal, on_function, on_module, signals_in
from loihiconv.ann.graph import Add, Affine, Concat, Gather, Node, Reshape, arranged
from loihiconv.core.linear import Array

FUNCTIONS = (
    *(torch.flatten, torch.reshape, torch.squeeze, torch.unsqueeze, torch.unflatten, torch.ravel),
    *(torch.permute, torch.transpose, torch.swapaxes, torch.swapdims, torch.movedim, torch.moveaxis),
    *(torch.cat, torch.concat, torch.concatenate, torch.stack, torch.hstack, torch.vstack, torch.dstack),
    *(torch.chunk, torch.split, torch.tensor_split, torch.unbind, torch.narrow, torch.select, torch.index_select),
    *(torch.flip, torch.fliplr, torch.flipud, torch.roll, torch.rot90, torch.tile, torch.repeat_interleave, torch.broadcast_to),
    *(F.pixel_shuffle, F.pixel_unshuffle, F.channel_shuffle, torch.channel_shuffle, F.unfold, torch.diagonal),
    *(torch.gather, torch.take_along_dim, torch.index_fill, torch.tril, torch.triu),
    operator.getitem,
)
METHODS = (
    *("flatten", "reshape", "reshape_as", "squeeze", "unsqueeze", "unflatten", "view", "view_as", "ravel"),
    *("permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "mT", "T"),
    *("chunk", "split", "tensor_split", "unbind", "narrow", "select", "index_select", "unfold", "diagonal"),
    *("flip", "fliplr", "flipud", "roll", "rot90", "repeat", "tile", "repeat_interleave", "expand", "expand_as", "broadcast_to"),
    *("gather", "take_along_dim", "index_fill", "tril", "triu"),
)
MODULES = (nn.Flatten, nn.Unflatten, nn.PixelShuffle, nn.PixelUnshuffle, nn.ChannelShuffle, nn.Unfold, nn.UpsamplingNearest2d)
PADDINGS = (
    *(nn.ReflectionPad1d, nn.ReflectionPad2d, nn.ReplicationPad1d, nn.ReplicationPad2d, nn.CircularPad1d, nn.CircularPad2d),
    *(nn.ZeroPad1d, nn.ZeroPad2d),
)


STEPS = (
    "keep the first axis for samples: Linear takes (N, steps, features) as it is, and other layers one step after the other, "
    "as in torch.stack([layer(step) for step in x.unbind(1)], 1)"
)
"""What to do where steps or frames are put beside samples, so that a layer sees each of them alone."""
FIRST = 2**40
"""The number of the first value; a constant keeps its value where the next example counts from twice as much."""


@on_function(F.pad)
def pad(call: Call, input: Signal, pad: Any, mode: str = "constant", value: float | None = None) -> Result | tuple[Result, ...]:
    return moved(call, input)


@on_module(nn.ConstantPad1d, nn.ConstantPad2d)
def constant_pad(call: Call, module: nn.ConstantPad2d, input: Signal) -> Result | tuple[Result, ...]:
    return pad(call, input, module.padding, value=module.value)


@on_module(*MODULES, *PADDINGS)
def moved_by_module(call: Call, module: nn.Module, input: Signal) -> Result | tuple[Result, ...]:
    return moved(call, input)


@on_function(getattr)
def attribute(call: Call, input: Signal, name: str) -> Result | tuple[Result, ...]:
    if name == "value":  # of what Brevitas wraps together with its scale
        return input
    if name not in ("T", "mT", "H", "mH", "data", "real"):
        raise call.refuse(f"of {name} cannot be converted", "use operations on the tensor itself")
    return moved(call, input)


@on_function(*FUNCTIONS, *METHODS)
def moved(call: Call, *arguments: Any, **options: Any) -> Result | tuple[Result, ...]:
    found = signals_in((arguments, tuple(options.values())))
    if not all(signal.shape for signal in found):
        raise call.refuse("takes one of several results of what cannot be converted", "see the operation that gives them")
    signals = list({part.name: part for signal in found for part in stacked(call, signal) or (signal,)}.values())
    results, again = (_numbered(call, found, signals, begin) for begin in (FIRST, 2 * FIRST))
    if isinstance(results, torch.Tensor):
        return _read(call, call.name, results, again, signals)
    if not isinstance(results, (tuple, list)) or not all(isinstance(result, torch.Tensor) for result in results):
        raise call.refuse(f"gives a {type(results).__name__}", "use it for one tensor, or for several")
    pairs = enumerate(zip(results, again, strict=True))
    return tuple(_read(call, call.fresh(f"{call.name}.{i}"), result, other, signals) for i, (result, other) in pairs)


def _numbered(call: Call, found: list[Signal], signals: list[Signal], begin: int) -> Any:
    """What the operation gives for values that are their places, counted from ``begin`` through all signals."""
    numbers: dict[str, torch.Tensor] = {}
    for signal in signals:
        numbers[signal.name] = torch.arange(begin, begin + prod(signal.shape), dtype=torch.float64)
        begin += prod(signal.shape)
    shaped = {signal.name: numbers[signal.name].reshape(signal.shape) for signal in signals}
    given = {signal: torch.stack([shaped[part.name] for part in stacked(call, signal) or ()]) for signal in found if stacked(call, signal)}
    try:
        return call.repeat({signal: given[signal] if signal in given else shaped[signal.name] for signal in found})
    except (RuntimeError, IndexError, TypeError, ValueError) as error:  # a mask or an index that comes from the input
        raise call.refuse("decides on the values of a tensor", "pick and mask with constants only") from error


def _read(call: Call, name: str, result: torch.Tensor, again: torch.Tensor, signals: list[Signal]) -> Result:
    """The nodes that arrange values as two numbered examples came out."""
    samples = signals[0].shape[0]
    if (samples > 1 or result.shape[:1] != (1,)) and (parts := _stacked(result, signals)):
        error = call.refuse(f"gives shape {tuple(result.shape)}, with samples on the second axis", APART)
        return Stack(name, tuple(part.name for part in parts), error, parts=parts)
    if result.ndim == 0 or result.shape[0] != samples or any(signal.shape[0] != samples for signal in signals):
        folds = result.ndim > 1 and result.shape[0] > samples and result.shape[0] % samples == 0
        raise call.refuse(
            f"gives shape {tuple(result.shape)}, which mixes samples",
            STEPS if folds else "keep the first axis for samples, as in x.flatten(1)",
        )
    values, others = (r.detach().double().reshape(samples, -1).numpy() for r in (result, again))
    shape, fixed = arranged(tuple(result.shape[1:])), values == others
    constants = np.where(fixed, values, 0.0)
    with np.errstate(invalid="ignore"):  # infinite constants
        changed = ~fixed & (others - values != FIRST)
    if changed.any():
        raise call.refuse("changes values", "compute in floating point throughout, and leave values as they are")
    if (constants != constants[0]).any():
        raise call.refuse("puts constants beside values that differ from sample to sample", "give one constant for all samples")
    places = np.where(fixed, -1, values - FIRST).astype(np.int64)
    picked = []
    begin = 0
    for signal in signals:
        count = prod(signal.shape[1:])
        index = np.where((places >= begin) & (places < begin + samples * count), places - begin, -1)
        own = np.where(index < 0, -1, index - count * np.arange(samples)[:, None])
        if ((own < 0) & (index >= 0)).any() or (own >= count).any() or (own != own[0]).any():
            raise call.refuse(f"turns shape {signal.shape[1:]} into {tuple(result.shape[1:])} and mixes samples", APART)
        picked.append((signal, own[0]))
        begin += samples * count
    used = [(signal, index) for signal, index in picked if (index >= 0).any()]
    if not used:
        raise call.refuse("gives nothing but constants", "leave it out")
    if not constants.any():
        return _joined(call, name, used, shape)
    if not np.isfinite(constants).all():
        raise call.refuse("puts infinite values beside others", "use large numbers, or leave them out")
    arrangement = _joined(call, call.fresh(f"{name}.values"), used, shape)
    before: tuple[Node, ...] = () if isinstance(arrangement, Signal) else arrangement if isinstance(arrangement, tuple) else (arrangement,)
    last = arrangement.name if isinstance(arrangement, Signal) else before[-1].name
    return (*before, Affine(name, (last,), np.ones(()), constants[0].reshape(shape)))


def _stacked(result: torch.Tensor, signals: list[Signal]) -> tuple[Signal, ...]:
    """The signals that a numbered example has one behind the other on its first axis, each as it is; none if it has anything else."""
    begins = np.cumsum([FIRST, *(prod(signal.shape) for signal in signals)])
    known = {begin: signal for signal, begin in zip(signals, begins.tolist(), strict=False)}
    parts: list[Signal] = []
    for plane in result if result.ndim > 1 and result.numel() else ():
        begin = float(plane.flatten()[0])
        signal = known.get(int(begin)) if np.isfinite(begin) else None
        if signal is None or tuple(plane.shape) != signal.shape:
            return ()
        if not torch.equal(plane.flatten().double(), torch.arange(begin, begin + plane.numel(), dtype=torch.float64)):
            return ()
        parts.append(signal)
    return tuple(parts)


def _joined(call: Call, name: str, used: list[tuple[Signal, Array]], shape: tuple[int, ...]) -> Signal | Node | tuple[Node, ...]:
    """The nodes that put values of one or more signals into their places, zeros elsewhere."""
    if len(used) == 1:
        return _gathered(name, *used[0], shape)
    if _one_after_the_other(used, shape):
        return Concat(name, tuple(signal.name for signal, _ in used))
    parts: list[Node] = [Gather(call.fresh(f"{name}.part{i}"), (s.name,), index, shape) for i, (s, index) in enumerate(used)]
    return (*parts, Add(name, tuple(part.name for part in parts)))


def _gathered(name: str, signal: Signal, index: Array, shape: tuple[int, ...]) -> Node | Signal:
    before = arranged(signal.shape[1:])
    if not np.array_equal(index, np.arange(prod(before))):
        return Gather(name, (signal.name,), index, shape)
    return signal if shape == before else Reshape(name, (signal.name,), shape)


def _one_after_the_other(used: list[tuple[Signal, Array]], shape: tuple[int, ...]) -> bool:
    """Whether every signal is whole, in its order, and follows the one before along the first axis."""
    begin = 0
    for signal, index in used:
        before = arranged(signal.shape[1:])
        count = prod(before)
        if before[1:] != shape[1:] or not np.array_equal(index[begin : begin + count], np.arange(count)):
            return False
        if (index >= 0).sum() != count:
            return False
        begin += count
    return begin == prod(shape)
