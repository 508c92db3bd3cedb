"""Conversions between floating-point types and devices, which networks that are read in one precision do not have."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

from typing import Any

import torch

from loihiconv.ann.frontends.registry import Call, Result, Signal, on_function


@on_function("to", "type", "type_as", "half", "bfloat16", "double", "cpu", "cuda")
def cast(call: Call, input: Signal, *options: Any, **named: Any) -> Result:
    whole = [option for option in (*options, *named.values()) if isinstance(option, torch.dtype) and not option.is_floating_point]
    if whole or any(isinstance(option, str) and "Tensor" in option for option in options):
        raise call.refuse("rounds to whole numbers", "compute in floating point throughout")
    return input
