"""All back ends there are, by name: what `run`, `compare`, help texts and ``loihiconv boards`` read.

To add one, write a `loihiconv.backends.backend.Backend` and name it here. Listing them imports none of numpy, torch and Lava.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from loihiconv.backends.backend import Backend, check_numbers
from loihiconv.backends.lava_cpu import LavaCpu
from loihiconv.backends.loihi import Loihi
from loihiconv.backends.simulators import EMULATOR, FLOAT
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import did_you_mean, shown

if TYPE_CHECKING:
    from loihiconv.core.network import Network

ANN, ANN_TITLE = "ann", "float ANN"
"""What comparisons call the float network itself, which is no back end."""
_BACKENDS: dict[str, Backend] = {}


def register(backend: Backend) -> Backend:
    """Add a back end under its name; returns it.

    Raises
    ------
    InvalidSetting
        If the name is taken.
    """
    if backend.name == ANN or backend.name in _BACKENDS:
        raise InvalidSetting(f"there is a back end {backend.name!r} already", where="backend", remedy="choose another name")
    _BACKENDS[backend.name] = backend
    return backend


def unregister(name: str) -> None:
    """Take a back end away again, as tests do."""
    del _BACKENDS[name]


for _backend in (FLOAT, EMULATOR, LavaCpu(), Loihi()):
    register(_backend)


def backends() -> tuple[Backend, ...]:
    """All back ends, in the order in which they were registered."""
    return tuple(_BACKENDS.values())


def find(name: str) -> Backend:
    """The back end of this name, or `InvalidSetting` with all names."""
    if not isinstance(name, str) or name not in _BACKENDS:
        what = f"unknown back end {shown(name)}{did_you_mean(name, _BACKENDS)}"
        raise InvalidSetting(what, where="backend", limit=f"one of {', '.join(_BACKENDS)}")
    return _BACKENDS[name]


def without_unavailable(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names of back ends that can be used from here, and of each other one a line: what is missing, and what to do."""
    there, missing = [], []
    for name in names:
        found = find(name).availability(quick=True)
        if found.ready:
            there.append(name)
        else:
            missing.append(f"{title_of(name)} is left out: {found.detail}; {found.remedy}")
    return there, missing


def check_backend(net: Network, backend: str, record: Collection[str] = ()) -> Backend:
    """The back end of this name, or `InvalidSetting` if there is none, or it cannot run ``net`` or record what is asked for."""
    found = find(backend)
    check_numbers(found, net)
    if unknown := sorted(set(record) - found.records, key=str):
        limit = f"{backend} records {', '.join(sorted(found.records)) or 'nothing'} beside counts and final potentials"
        raise InvalidSetting(f"cannot record {unknown[0]!r}{did_you_mean(unknown[0], found.records)}", where="record", limit=limit)
    return found


def title_of(name: str) -> str:
    """A back end, or the float network itself, as tables name it."""
    if name == ANN:
        return ANN_TITLE
    return _BACKENDS[name].title if name in _BACKENDS else name
