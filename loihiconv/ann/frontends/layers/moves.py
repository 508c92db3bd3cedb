"""Operations that only arrange values: whatever their arguments, which value went where is read off a numbered example.

So reshaping, permuting, slicing, splitting, joining, repeating, rolling, padding with values of the input, and upsampling to the
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

from loihiconv.ann.frontends.registry import Call, Result, Signal, on_function, on_module
from loihiconv.ann.graph import Add, Concat, Gather, Node, Reshape, arranged
from loihiconv.core.linear import Array

FUNCTIONS = (
    *(torch.flatten, torch.reshape, torch.squeeze, torch.unsqueeze, torch.unflatten, torch.ravel),
    *(torch.permute, torch.transpose, torch.swapaxes, torch.swapdims, torch.movedim, torch.moveaxis),
    *(torch.cat, torch.concat, torch.concatenate, torch.stack, torch.hstack, torch.vstack, torch.dstack),
    *(torch.chunk, torch.split, torch.tensor_split, torch.unbind, torch.narrow, torch.select, torch.index_select),
    *(torch.flip, torch.fliplr, torch.flipud, torch.roll, torch.rot90, torch.tile, torch.repeat_interleave, torch.broadcast_to),
    *(F.pixel_shuffle, F.pixel_unshuffle, F.channel_shuffle, torch.channel_shuffle, F.unfold, torch.diagonal),
    operator.getitem,
)
METHODS = (
    *("flatten", "reshape", "reshape_as", "squeeze", "unsqueeze", "unflatten", "view", "view_as", "ravel"),
    *("permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "mT", "T"),
    *("chunk", "split", "tensor_split", "unbind", "narrow", "select", "index_select", "unfold", "diagonal"),
    *("flip", "fliplr", "flipud", "roll", "rot90", "repeat", "tile", "repeat_interleave", "expand", "expand_as", "broadcast_to"),
)
MODULES = (nn.Flatten, nn.Unflatten, nn.PixelShuffle, nn.PixelUnshuffle, nn.ChannelShuffle, nn.Unfold, nn.UpsamplingNearest2d)
PADDINGS = (
    *(nn.ReflectionPad1d, nn.ReflectionPad2d, nn.ReplicationPad1d, nn.ReplicationPad2d, nn.CircularPad1d, nn.CircularPad2d),
    *(nn.ZeroPad1d, nn.ZeroPad2d),
)


@on_function(F.pad)
def pad(call: Call, input: Signal, pad: Any, mode: str = "constant", value: float | None = None) -> Result | tuple[Result, ...]:
    if mode == "constant" and value:
        raise call.refuse(f"has value={value}", "pad with zeros")
    return moved(call, input)


@on_module(nn.ConstantPad1d, nn.ConstantPad2d)
def constant_pad(call: Call, module: nn.ConstantPad2d, input: Signal) -> Result | tuple[Result, ...]:
    return pad(call, input, module.padding, value=module.value)


@on_module(*MODULES, *PADDINGS)
def moved_by_module(call: Call, module: nn.Module, input: Signal) -> Result | tuple[Result, ...]:
    return moved(call, input)


@on_function(*FUNCTIONS, *METHODS)
def moved(call: Call, *arguments: Any, **options: Any) -> Result | tuple[Result, ...]:
    found = _signals((arguments, tuple(options.values())))
    if not all(signal.shape for signal in found):
        raise call.refuse("takes one of several results of what cannot be converted", "see the operation that gives them")
    signals = list({signal.name: signal for signal in found}.values())
    numbers: dict[str, torch.Tensor] = {}
    begin = 1  # 0 is what padding puts in
    for signal in signals:
        count = prod(signal.shape)
        numbers[signal.name] = torch.arange(begin, begin + count, dtype=torch.float64)
        begin += count
    results = call.repeat({signal: numbers[signal.name].reshape(signal.shape) for signal in found})
    if isinstance(results, torch.Tensor):
        return _read(call, call.name, results, signals)
    if not isinstance(results, (tuple, list)) or not all(isinstance(result, torch.Tensor) for result in results):
        raise call.refuse(f"gives a {type(results).__name__}", "use it for one tensor, or for several")
    return tuple(_read(call, call.fresh(f"{call.name}.{i}"), result, signals) for i, result in enumerate(results))


def _signals(values: Any) -> list[Signal]:
    if isinstance(values, Signal):
        return [values]
    return [signal for value in values for signal in _signals(value)] if isinstance(values, (tuple, list)) else []


def _read(call: Call, name: str, result: torch.Tensor, signals: list[Signal]) -> Result:
    """The node that arranges values as a numbered example came out."""
    samples = signals[0].shape[0]
    if result.ndim == 0 or result.shape[0] != samples or any(signal.shape[0] != samples for signal in signals):
        raise call.refuse(f"gives shape {tuple(result.shape)}, which mixes samples", "keep the first axis for samples, as in x.flatten(1)")
    places = result.detach().double().reshape(samples, -1).round().long().numpy()
    shape = arranged(tuple(result.shape[1:]))
    picked = []
    begin = 1
    rest = places > 0
    for signal in signals:
        count = prod(signal.shape[1:])
        index = np.where((places >= begin) & (places < begin + samples * count), places - begin, -1)
        rest &= index < 0
        own = np.where(index < 0, -1, index - count * np.arange(samples)[:, None])
        if ((own < 0) & (index >= 0)).any() or (own >= count).any() or (own != own[0]).any():
            raise call.refuse(f"turns shape {signal.shape[1:]} into {tuple(result.shape[1:])} and mixes samples", "keep samples apart")
        picked.append((signal, own[0]))
        begin += samples * count
    if rest.any() or (places < 0).any():
        raise call.refuse("puts constants beside values", "leave all but zeros out")
    used = [(signal, index) for signal, index in picked if (index >= 0).any()]
    if not used:
        raise call.refuse("gives nothing but zeros", "leave it out")
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
