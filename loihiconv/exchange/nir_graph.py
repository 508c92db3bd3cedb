"""A NIR graph as it stands in a file, or as the ``nir`` package has it, with its nodes in topological order.

NIR (Pedersen et al. 2024, doi:10.1038/s41467-024-52259-9) is a graph of nodes, each a dynamical system or a linear map, whose edges
pass signals on unchanged; edges that meet are summed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np

from loihiconv.ann.frontends.hdf5 import Tree, holds, read_tree
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.given import check_path
from loihiconv.core.linear import Array

Edges = tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class NirNode:
    """One node.

    Parameters
    ----------
    name : str
        Within graphs that it is part of, ``graph.node``.
    kind : str
        Its class in ``nir``: "IF", "Conv2d", ...; "Identity" for the ends of a graph within the graph.
    fields : mapping
        As in the file.
    """

    name: str
    kind: str
    fields: Tree

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What its writer added; empty where that is nothing that can be read."""
        found = self.fields.get("metadata")
        return found if isinstance(found, Mapping) else {}

    def has(self, field: str) -> bool:
        """Whether it says anything under this name."""
        return self.fields.get(field) is not None

    def array(self, field: str) -> Array:
        """Numbers in float64; `InvalidModel` where they are missing, no numbers, or NaN.

        Infinity passes: it is what time constants without any leak are.
        """
        if not self.has(field):
            raise InvalidModel(f"{self.kind} without {field}", where=self.name, remedy="write the file again")
        try:
            values = np.asarray(self.fields[field], np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidModel(f"{field} of {self.kind} holds no numbers", where=self.name) from error
        if np.isnan(values).any():
            raise InvalidModel(f"{field} holds NaN", where=self.name, remedy="train the network again")
        return values

    def finite(self, field: str) -> Array:
        """`array` of finite numbers."""
        values = self.array(field)
        if not np.isfinite(values).all():
            raise InvalidModel(f"{field} holds infinity", where=self.name, remedy="train the network again")
        return values

    def integers(self, field: str) -> tuple[int, ...]:
        """Whole numbers, in a flat tuple."""
        values = self.finite(field)
        if (values != np.rint(values)).any() or (np.abs(values) > 2**31).any():
            raise InvalidModel(f"{field} of {values.ravel()[0]:g}", where=self.name, limit="whole numbers expected")
        return tuple(int(value) for value in values.ravel())

    def integer(self, field: str, other: int) -> int:
        """One whole number, or another one where it is not said."""
        values = self.integers(field) if self.has(field) else (other,)
        if len(values) != 1:
            raise InvalidModel(f"{field} of {len(values)} numbers", where=self.name, limit="1 expected")
        return values[0]

    def pair(self, field: str) -> tuple[int, int]:
        """One number for both axes, or one for each: (vertical, horizontal)."""
        values = self.integers(field)
        if len(values) not in (1, 2):
            raise InvalidModel(f"{field} of {len(values)} numbers", where=self.name, limit="1 or 2 expected")
        return values[0], values[-1]


@dataclass(frozen=True, eq=False)
class NirGraph:
    """A graph without cycles.

    Parameters
    ----------
    nodes : tuple of NirNode
        In topological order.
    edges : tuple of (source, target)
    metadata : mapping
    version : str
        Of the ``nir`` that wrote it, as far as that is known.
    """

    nodes: tuple[NirNode, ...]
    edges: Edges
    metadata: Mapping[str, Any]
    version: str

    def before(self, name: str) -> tuple[str, ...]:
        """Nodes whose edges lead to this one."""
        return tuple(a for a, b in self.edges if b == name)

    def after(self, name: str) -> tuple[str, ...]:
        """Nodes that this one's edges lead to."""
        return tuple(b for a, b in self.edges if a == name)


def is_nir(path: str | Path) -> bool:
    """Whether a file is a NIR graph."""
    return holds(path, "node/edges", ".nir")


def read_nir(source: Any) -> NirGraph:
    """The graph of a ``.nir`` file, or of a ``nir.NIRGraph``.

    Raises
    ------
    InvalidModel
        If the file cannot be read or is no NIR graph.
    UnsupportedLayer
        If the graph has cycles.
    """
    if hasattr(source, "to_dict") and hasattr(source, "edges"):
        tree, version, where = source.to_dict(), "", type(source).__name__
    else:
        check_path(source, "source")
        root, where = read_tree(source), str(source)
        tree, version = root.get("node"), str(root.get("version", ""))
    if not isinstance(tree, Mapping) or tree.get("type") != "NIRGraph":
        raise InvalidModel("holds no NIR graph", where=where, limit="a file that nir.write made expected")
    nodes, edges = _parts(NirNode("", "NIRGraph", dict(tree)), where)
    metadata = tree.get("metadata")
    return NirGraph(_sorted(nodes, edges), edges, metadata if isinstance(metadata, Mapping) else {}, version)


def _parts(graph: NirNode, where: str) -> tuple[dict[str, NirNode], Edges]:
    """Nodes and edges of a graph; graphs within it are replaced by what they hold."""
    members, edges = graph.fields.get("nodes"), list(_edges(graph, where))
    if not isinstance(members, Mapping) or not members:
        raise InvalidModel("a graph without nodes", where=graph.name or where)
    nodes: dict[str, NirNode] = {}
    for key, fields in members.items():
        if not isinstance(fields, Mapping) or not isinstance(fields.get("type"), str):
            raise InvalidModel("a node without a type", where=str(key))
        node = NirNode(f"{graph.name}.{key}".lstrip("."), fields["type"], dict(fields))
        if node.kind != "NIRGraph":
            nodes[node.name] = node
            continue
        inner, within = _parts(node, where)
        entry, leave = _ends(node, inner)
        nodes |= inner | {name: replace(inner[name], kind="Identity") for name in (entry, leave)}
        edges = [(leave if a == node.name else a, entry if b == node.name else b) for a, b in edges] + list(within)
    for a, b in edges:
        if missing := [name for name in (a, b) if name not in nodes]:
            raise InvalidModel(f"an edge of {missing[0]!r}, which is no node", where=graph.name or where)
    return nodes, tuple(dict.fromkeys(edges))


def _ends(graph: NirNode, inner: Mapping[str, NirNode]) -> tuple[str, str]:
    """Names of the one way in and the one way out of a graph within a graph."""
    own = [inner[name] for key in graph.fields["nodes"] if (name := f"{graph.name}.{key}") in inner]
    entries, leaves = ([node.name for node in own if node.kind == kind] for kind in ("Input", "Output"))
    if len(entries) != 1 or len(leaves) != 1:
        what = f"a graph within the graph with {len(entries)} inputs and {len(leaves)} outputs"
        raise UnsupportedLayer(what, where=graph.name, limit="one of each expected")
    return entries[0], leaves[0]


def _edges(graph: NirNode, where: str) -> Iterable[tuple[str, str]]:
    prefix = f"{graph.name}." if graph.name else ""
    found = graph.fields.get("edges")
    for edge in found if isinstance(found, (list, tuple)) else ():
        if not isinstance(edge, (list, tuple)) or len(edge) != 2 or not all(isinstance(end, str) for end in edge):
            raise InvalidModel("an edge that is no pair of names", where=graph.name or where)
        yield prefix + edge[0], prefix + edge[1]


def _sorted(nodes: Mapping[str, NirNode], edges: Edges) -> tuple[NirNode, ...]:
    before: dict[str, list[str]] = {name: [] for name in nodes}
    for a, b in edges:
        before[b].append(a)
    try:
        return tuple(nodes[name] for name in TopologicalSorter(before).static_order())
    except CycleError as error:
        raise UnsupportedLayer(
            f"a cycle ({' -> '.join(reversed(error.args[1]))})",
            where=str(error.args[1][0]),
            limit="networks without recurrent connections expected",
        ) from error


def text(value: object) -> str:
    """A text of a file, which may come as bytes; empty for what is none."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value if isinstance(value, str) else ""
