"""Straight-through estimators, which give training another gradient and leave the function as it is."""

from __future__ import annotations

import numpy as np

from loihiconv.ann.graph import Add, Affine, Ann, Node
from loihiconv.ann.passes.rewrite import Rewrite, splice


class DropStraightThrough(Rewrite):
    """x + (y - x) = y, as ``x + (quantized(x) - x).detach()`` is written for training (Bengio et al. 2013, arXiv:1308.3432)."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Add) and self._inner(ann, node) is not None

    def transform(self, ann: Ann, node: Node) -> Ann:
        inner = self._inner(ann, node)
        assert inner is not None  # it has matched
        return splice(ann, node.name, result=inner)

    @staticmethod
    def _inner(ann: Ann, node: Node) -> str | None:
        """Of x + (y - x) the name of y."""
        if len(node.inputs) != 2:
            return None
        for x, difference in (node.inputs, node.inputs[::-1]):
            terms = ann[difference]
            if isinstance(terms, Add) and len(terms.inputs) == 2:
                for y, negative in (terms.inputs, terms.inputs[::-1]):
                    if _is_negative(ann[negative], x):
                        return y
        return None


def _is_negative(node: Node, of: str) -> bool:
    return isinstance(node, Affine) and node.inputs == (of,) and bool(np.all(node.scale == -1)) and not np.any(node.shift)
