"""Conversions between floating-point types and devices, which networks that are read in one precision do not have."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

from typing import Any

from loihiconv.ann.frontends.registry import Call, Result, Signal, on_function


@on_function("to", "type", "type_as", "half", "bfloat16", "double", "cpu", "cuda")
def cast(call: Call, input: Signal, *options: Any, **named: Any) -> Result:
    return input
