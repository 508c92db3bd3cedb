"""Results on a first axis before that of samples, as ``torch.stack([a(x), b(x)]).mean(0)`` of an ensemble has them in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from loihiconv.ann.frontends.registry import Call, Signal
from loihiconv.ann.frontends.remedies import Refused
from loihiconv.ann.graph import Concat, Node, Reshape, arranged

APART = "keep the first axis for samples, as in torch.stack([a, b], 1), or reduce the other at once, as in torch.stack([a, b]).mean(0)"


@dataclass(frozen=True, eq=False)
class Stack(Refused):
    """Several results one behind the other on a new first axis.

    No node has that; what reduces the axis, or moves it behind samples, takes the parts.
    """

    parts: tuple[Signal, ...] = field(kw_only=True)


def stacked(call: Call, signal: Signal) -> tuple[Signal, ...]:
    """The parts of a `Stack`; none of any other result."""
    node = call.nodes.get(signal.name)
    return node.parts if isinstance(node, Stack) else ()


def behind_samples(call: Call, parts: Sequence[Signal]) -> list[Node]:
    """Nodes that put results one after the other on an axis behind that of samples."""
    shape = arranged((len(parts), *parts[0].shape[1:]))
    each: list[Node] = [Reshape(call.fresh(f"{call.name}.part"), (part.name,), (1, *shape[1:])) for part in parts]
    return [*each, Concat(call.fresh(f"{call.name}.parts"), tuple(node.name for node in each))]


def along_stack(call: Call, input: Signal, axes: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of a stack that an operation reduces.

    Raises
    ------
    UnsupportedLayer
        If the first is not one of them or is kept, so that samples would not come first, or if samples are mixed.
    """
    if 0 not in axes or 1 in axes or len(call.shape) + len(axes) != len(input.shape):
        raise call.refuse(f"leaves samples of shape {input.shape} on the second axis, or mixes them", APART)
    return axes
