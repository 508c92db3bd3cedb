"""Small networks, lowered, and what lowering promises."""

from __future__ import annotations

from torch import nn

from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Add, Ann, Input, Linear, MaxPool, Relu
from loihiconv.ann.passes import lower

FEEDS = {
    Linear: (Input, Relu, MaxPool),
    Add: (Input, Linear, Relu, MaxPool),
    Relu: (Linear, Add),
    MaxPool: (Input, Relu, MaxPool, Linear, Add),
}


def assert_lowered(ann: Ann) -> None:
    """Check what `lower` promises about who feeds whom."""
    assert isinstance(ann.output, Linear | Add)
    for node in ann.nodes[1:]:
        assert all(isinstance(ann[name], FEEDS[type(node)]) for name in node.inputs), node.name


def lowered(*layers: nn.Module, shape: tuple[int, ...]) -> Ann:
    ann = lower(read_torch(nn.Sequential(*layers).double(), shape)).ann
    assert_lowered(ann)
    return ann


def kinds(ann: Ann) -> list[str]:
    return [f"{type(node).__name__} {node.name}" for node in ann.nodes[1:]]
