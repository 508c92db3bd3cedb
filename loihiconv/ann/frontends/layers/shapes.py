"""Padding, and what only arranges values."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from loihiconv.ann.frontends.layers.arguments import require_image
from loihiconv.ann.frontends.registry import Call, Signal, on_function, on_module
from loihiconv.ann.graph import Flatten, Node, Pad


@on_function(F.pad)
def pad(call: Call, input: Signal, pad: Any, mode: str = "constant", value: float | None = None) -> Node | Signal:
    if mode != "constant" or value:
        raise call.refuse(f"has mode={mode!r}, value={value}", "pad with zeros")
    require_image(call, input)
    left, right, top, bottom, *others = (*pad, 0, 0)[: max(4, len(pad))]
    if any(others):
        raise call.refuse("pads the channel or batch axis", "pad height and width only")
    return Pad(call.name, (input.name,), (top, bottom, left, right)) if any((top, bottom, left, right)) else input


@on_module(nn.ZeroPad2d)
def zero_pad2d(call: Call, module: nn.ZeroPad2d, input: Signal) -> Node | Signal:
    return pad(call, input, module.padding)


@on_module(nn.ConstantPad2d)
def constant_pad2d(call: Call, module: nn.ConstantPad2d, input: Signal) -> Node | Signal:
    return pad(call, input, module.padding, value=module.value)


@on_module(nn.Flatten)
def flatten(call: Call, module: nn.Flatten, input: Signal) -> Node | Signal:
    return reshape(call, input)


@on_function(torch.flatten, torch.reshape, torch.squeeze, "flatten", "reshape", "view", "squeeze")
def reshape(call: Call, input: Signal, *sizes: Any, **named_sizes: Any) -> Node | Signal:
    # All of these keep the order of the values, so the shape that the example came out with says everything.
    if call.shape == input.shape:
        return input
    if call.shape != (input.shape[0], prod(input.shape[1:])):
        raise call.refuse(
            f"turns shape {input.shape[1:]} into {call.shape[1:]}", "only x.flatten(1), which keeps samples apart, is possible"
        )
    return Flatten(call.name, (input.name,))
