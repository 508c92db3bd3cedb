"""What operations in place change, for whoever holds the same memory.

After ``x.relu_()`` every name of x holds the result. A view of x, made before, has changed as well, but what was recorded for it has not:
to read it is refused. So is writing results into constants.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import fx

from loihiconv.ann.frontends.stands import assign
from loihiconv.core.errors import UnsupportedLayer

REMEDY = "put the results of operations under names of their own, as in y = y.relu(), and join parts with torch.cat"


class Memory:
    """Watches the operations of a recording.

    Parameters
    ----------
    values : {node: result}
        Of what has been carried out; the recording adds to it.
    dependent : set of nodes
        Those whose result depends on the network's input.

    Attributes
    ----------
    overwritten : {node: nodes}
        Nodes whose tensor an operation changed in place.
    outdated : {node: node}
        Nodes whose memory does not hold what was recorded for them any more, and the operation that changed it.
    stale : {node: node}
        For an operation that takes memory that has changed since its input was recorded, the operation that changed it.
    """

    def __init__(self, values: Mapping[fx.Node, Any], dependent: set[fx.Node]) -> None:
        self._values, self._dependent = values, dependent
        self.overwritten: dict[fx.Node, tuple[fx.Node, ...]] = {}
        self.stale: dict[fx.Node, fx.Node] = {}
        self.outdated: dict[fx.Node, fx.Node] = {}
        self._versions: list[tuple[fx.Node, torch.Tensor, int]] = []

    def before(self, node: fx.Node) -> None:
        """To be called before an operation is carried out."""
        for source in node.all_input_nodes:
            changed_by = self.outdated.get(source)
            if changed_by is not None and not self._put_back(node, source, changed_by):
                self.stale[node] = changed_by
        inputs = [(n, self._values[n]) for n in node.all_input_nodes]
        # Operations in place raise a tensor's version counter, whatever their name or the way they were asked to.
        self._versions = [(n, value, value._version) for n, value in inputs if isinstance(value, torch.Tensor) and not value.is_inference()]

    def after(self, node: fx.Node) -> None:
        """To be called once it has been carried out.

        Raises
        ------
        UnsupportedLayer
            If it writes results into a constant, or changes one that results have been computed with.
        """
        changed = [(n, value) for n, value, version in self._versions if value._version != version]
        # Views of one tensor have a common version; what is changed is what comes back.
        changed = [(n, value) for n, value in changed if value is self._values[node]] or changed
        self.overwritten[node] = tuple(n for n, _ in changed)
        for other, held in self._values.items() if changed else ():
            if other is node or not isinstance(held, torch.Tensor):
                continue
            if any(held is value for _, value in changed):
                self.outdated.pop(other, None)
            elif any(overlap(value, held) for _, value in changed):
                self.outdated.setdefault(other, node)
            else:
                continue
            if other not in self._dependent and not self._dependent.isdisjoint((node, *other.users)):
                raise UnsupportedLayer("what depends on the input changes a constant in place, or one changes after its use", remedy=REMEDY)

    def _put_back(self, node: fx.Node, source: fx.Node, changed_by: fx.Node) -> bool:
        """Whether an operation is the assignment that ends ``x[index] += y``, to x."""
        if node.target is not assign or node.args[0] is not source or not isinstance(node.args[2], fx.Node):
            return False
        return self._values[node.args[2]] is self._values[changed_by]


def overlap(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether two tensors have memory in common."""
    if a.layout != torch.strided or b.layout != torch.strided:
        return a is b
    storage = a.untyped_storage()
    if storage.data_ptr() != b.untyped_storage().data_ptr() or not a.numel() or not b.numel():
        return False
    if a.element_size() != b.element_size():
        return True
    places = torch.arange(storage.nbytes() // a.element_size())
    taken = torch.zeros(len(places), dtype=torch.bool)
    taken[places.as_strided(a.size(), a.stride(), a.storage_offset())] = True
    return bool(taken[places.as_strided(b.size(), b.stride(), b.storage_offset())].any())
