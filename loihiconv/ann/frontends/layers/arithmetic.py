"""Sums."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

import operator
from typing import Any

import torch

from loihiconv.ann.frontends.registry import Call, Signal, on_function
from loihiconv.ann.graph import Add, Node


@on_function(operator.add, operator.iadd, torch.add, "add", "add_")
def add(call: Call, input: Any, other: Any, *, alpha: float = 1) -> Node:
    if not isinstance(input, Signal) or not isinstance(other, Signal):
        raise call.refuse("adds a constant", "put it into the bias of the layer before")
    if alpha != 1:
        raise call.refuse(f"has alpha={alpha}", "put the factor into the weights of the layer before")
    if input.shape != other.shape:
        raise call.refuse(f"broadcasts {input.shape[1:]} and {other.shape[1:]}", "add results of equal shape")
    return Add(call.name, (input.name, other.name))
