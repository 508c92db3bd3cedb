"""Modules that are one operation of a file, whatever PyTorch needs to carry it out; and which of its operations has the name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

_WEIGHTED: tuple[Any, ...] = (
    *(F.linear, torch.matmul, F.conv1d, F.conv2d, F.conv3d),
    *(F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d),
)


class OneOperation(nn.Module):
    """A module whose path is the name that users know an operation by."""


def bearer(nodes: Sequence[fx.Node]) -> fx.Node | None:
    """Of the operations that a module carried out, the one that is called as the module is: the first that has weights, or the only one."""
    weighted = [node for node in nodes if node.target in _WEIGHTED]
    return weighted[0] if weighted else nodes[0] if len(nodes) == 1 else None
