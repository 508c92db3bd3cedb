"""What populations are called: as users call the layers that they come from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain, count

from loihiconv.ann.graph import Add, Ann, Input, Linear, MaxPool, Node, Relu
from loihiconv.ann.passes.rewrite import layer_of


def population_names(ann: Ann, known: Collection[str] = ()) -> dict[str, str]:
    """Name of the population that a node becomes: its linear layer's, which users know, rather than its ReLU's.

    A sum, as at the end of a residual block, is called as the layer at the end of its longest way: ``conv3`` for
    ``relu(conv3(y) + x)``. ReLUs that a pass has put in have a name of their own, and so has the second one of the same layer. A readout
    of one of several outputs is called as the model calls that.

    Parameters
    ----------
    ann : Ann
        After the passes.
    known : collection of str
        Names of the network that this Ann has become. Where today's are others, it is from before sums were called as layers, and its own
        are found again.
    """
    populations = [node for node in ann if is_population(ann, node)]
    depths = _depths(ann)
    names = _chosen({node.name: list(_wanted(ann, node, depths)) for node in populations})
    if known and not set(names.values()) <= set(known):
        names = _chosen({node.name: sorted(_wanted(ann, node), key=lambda name: name not in known) for node in populations})
    return {node.name: names.get(node.name, node.name) for node in ann}


def is_population(ann: Ann, node: Node) -> bool:
    """Whether a node becomes neurons, not synapses."""
    return isinstance(node, (Input, Relu, MaxPool)) or node is ann.output


def _wanted(ann: Ann, node: Node, depths: Mapping[str, int] | None = None) -> Iterator[str]:
    """What a population could be called, best first; sums as layers, where it is known how deep these are."""
    drive = ann[node.inputs[0]] if isinstance(node, Relu) and not node.scale_of else node
    if node is ann.output and ann.output_name:
        yield ann.output_name
    yield layer_of(drive)
    if depths and isinstance(drive, Add) and drive is not node:
        yield _last_layer(ann, drive, depths)
    if isinstance(drive, Linear):
        yield drive.name
    yield node.name


def _chosen(wanted: Mapping[str, list[str]]) -> dict[str, str]:
    """The first name of each that no other has."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for node, candidates in wanted.items():
        numbered = (f"{node}_{i}" for i in count(1))
        names[node] = next(name for name in chain(candidates, numbered) if name and name not in taken)
        taken.add(names[node])
    return names


def _depths(ann: Ann) -> dict[str, int]:
    """Populations on the longest way from an input to each node."""
    depths: dict[str, int] = {}
    for node in ann:
        depths[node.name] = max((depths[name] for name in node.inputs), default=0) + isinstance(node, (Relu, MaxPool))
    return depths


def _last_layer(ann: Ann, total: Add, depths: Mapping[str, int]) -> str:
    """The layer at the end of the longest way into a sum, of those the one with most weights; empty where none is there."""

    def rank(part: Node) -> tuple[int, int]:
        return depths[part.name], part.map.weight.size if isinstance(part, Linear) else 0

    return layer_of(max((ann[name] for name in total.inputs), key=rank))
