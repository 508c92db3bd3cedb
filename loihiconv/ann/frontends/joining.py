"""Several outputs as one result, in which one follows the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from loihiconv.ann.frontends.registry import Signal
from loihiconv.ann.graph import Concat, Node, Reshape, arranged
from loihiconv.core.parts import Part


def joined(results: Sequence[Signal], parts: Sequence[Part], fresh: Callable[[str], str]) -> list[Node]:
    """Nodes that put results one after the other: along the channels where these have one shape otherwise, else flattened.

    Along the channels convolutions stay convolutions.

    Parameters
    ----------
    results : sequence of Signal
    parts : sequence of Part
        Their names and shapes.
    fresh : callable (str) -> str
        A name for a node, unlike all others.
    """
    shapes = [arranged(part.shape) for part in parts]
    names, nodes = [result.name for result in results], list[Node]()
    if len({shape[1:] for shape in shapes}) > 1:
        for i, (part, shape) in enumerate(zip(parts, shapes, strict=True)):
            if len(shape) > 1:
                nodes.append(Reshape(fresh(f"{names[i]}.values"), (names[i],), (prod(part.shape),)))
                names[i] = nodes[-1].name
    return [*nodes, Concat(fresh("outputs"), tuple(names))]
