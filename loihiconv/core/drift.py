"""What differs between two networks, layer by layer: two conversions of one model, or by two versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np

from loihiconv.core import numbers as n
from loihiconv.core.network import Connection, Network, check_network
from loihiconv.core.tables import Shown, Table

NETWORK = "network"
MOST_NAMED = 3
"""Populations and connections that one line names."""


class Change(NamedTuple):
    """Something that is not the same.

    Attributes
    ----------
    where : str
        A population, a connection "source -> target", "network", or "setting NAME".
    what : str
        The parameter.
    how : str
        Old and new value, or how many values differ, and by how much.
    """

    where: str
    what: str
    how: str


@dataclass(frozen=True)
class Drift(Shown):
    """All that differs between two networks, in the order of the first.

    Attributes
    ----------
    changes : tuple of Change
        Of what runs; empty where both give the same spikes for every input.
    settings : tuple of Change
        Settings and versions that the conversions were made with.
    """

    changes: tuple[Change, ...]
    settings: tuple[Change, ...]

    @property
    def same(self) -> bool:
        """Whether both are the same network."""
        return not self.changes

    def tables(self) -> tuple[Table, ...]:
        titles = (("What runs", self.changes), ("Settings and versions", self.settings))
        return tuple(Table(title, ("where", "what", "change"), changes) for title, changes in titles if changes)

    def remarks(self) -> tuple[str, ...]:
        return ("the same network: every number that runs is equal",) if self.same else ()

    def __repr__(self) -> str:
        if self.same:
            return "<Drift: the same network>"
        places = list(dict.fromkeys(change.where for change in self.changes))
        more = f" and {len(places) - MOST_NAMED} more" if len(places) > MOST_NAMED else ""
        return f"<Drift: {', '.join(places[:MOST_NAMED])}{more} changed>"

    def to_json(self) -> dict[str, Any]:
        """The changes as JSON values."""
        return {"same": self.same, **{name: [c._asdict() for c in getattr(self, name)] for name in ("changes", "settings")}}


def diff(before: Network, after: Network) -> Drift:
    """Compare two networks number by number; float origins and records of the conversion are no part of what runs.

    Raises
    ------
    InvalidModel
        If one is no network.
    """
    check_network(before, "first network")
    check_network(after, "second network")
    changes = []
    for name in ("timesteps", "fixed_point", "board"):
        old, new = getattr(before, name), getattr(after, name)
        changes += [Change(NETWORK, name, _values(old, new))] if old != new else []
    changes += _all({p.name: p for p in before.populations}, {p.name: p for p in after.populations})
    changes += _all(_named(before.connections), _named(after.connections))
    settings = list(_entries("setting", before.record.settings, after.record.settings))
    settings += _entries("version of", before.record.provenance, after.record.provenance)
    return Drift(tuple(changes), tuple(settings))


def _named(connections: Sequence[Connection]) -> dict[str, Connection]:
    """Connections by their ends, and a number where there are several."""
    seen: Counter[str] = Counter()
    named = {}
    for connection in connections:
        name = f"{connection.source} -> {connection.target}"
        seen[name] += 1
        named[name if seen[name] == 1 else f"{name} ({seen[name]})"] = connection
    return named


def _all(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name, value in before.items():
        if name in after:
            yield from (Change(name, what, how) for what, how in _parts(value, after[name]))
        else:
            yield Change(name, "", "is only in the first")
    yield from (Change(name, "", "is only in the second") for name in after if name not in before)


def _parts(before: Any, after: Any, within: str = "") -> Iterator[tuple[str, str]]:
    """Fields of two values that differ, and how."""
    if type(before) is not type(after):
        yield within or "kind", f"{type(before).__name__} -> {type(after).__name__}"
        return
    for name in (field.name for field in fields(before)):
        a, b = getattr(before, name), getattr(after, name)
        if is_dataclass(a) and is_dataclass(b):
            yield from _parts(a, b, name)
        elif _are_functions(a) and _are_functions(b) and [type(f) for f in a] == [type(f) for f in b]:
            for i, (old, new) in enumerate(zip(a, b, strict=True)):
                yield from _parts(old, new, f"{name}[{i}]")
        elif how := _how(a, b):
            yield f"{within}.{name}".strip("."), how


def _are_functions(value: Any) -> bool:
    """Whether it is a tuple of dataclasses, as a readout's last functions are; they hold arrays, and so do not compare."""
    return isinstance(value, tuple) and all(is_dataclass(part) for part in value)


def _how(before: Any, after: Any) -> str:
    """How two values of a field differ; empty where they do not."""
    if not isinstance(before, np.ndarray) or not isinstance(after, np.ndarray):
        return "" if type(before) is type(after) and before == after else _values(before, after)
    if before.dtype == after.dtype and np.array_equal(before, after):
        return ""
    if before.shape != after.shape:
        return f"shape {before.shape} -> {after.shape}"
    difference = np.abs(before.astype(np.float64) - after.astype(np.float64))
    if not difference.any():
        return f"{before.dtype} -> {after.dtype}"
    return f"{n.count(np.count_nonzero(difference))} of {n.count(before.size)} values, by up to {n.setting(float(difference.max()))}"


def _values(before: Any, after: Any) -> str:
    texts = ["an array" if isinstance(value, np.ndarray) else n.setting(value, none="none") for value in (before, after)]
    if texts[0] == texts[1] and isinstance(before, float) and isinstance(after, float):
        texts = [repr(before), repr(after)]  # what they differ in is behind the digits that are usually shown
    return " -> ".join(texts)


def _entries(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            yield Change(f"{kind} {name}", "", _values(before.get(name), after.get(name)))
