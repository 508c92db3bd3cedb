"""Kernels compiled by numba and kept on disk, and compiled again whenever anything in this room changes.

numba keeps a compiled function as long as the file that it stands in stays the same. Ours inline functions of other files, whose changes
numba does not see: it went on running the old ones. So what is kept is marked with a hash of all files of the room.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import caching

Function = TypeVar("Function", bound=Callable[..., Any])


@cache
def sources() -> str:
    """SHA-256 of every file that kernels are made from."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


class _Marked:
    """What a place where compiled functions are kept compares, to tell whether they are up to date."""

    def get_source_stamp(self) -> str:
        return sources()


# Classes made from numba's own, which has no types here.
_PLACES = [type(f"Marked{place.__name__}", (_Marked, place), {}) for place in caching.CompileResultCacheImpl._locator_classes]
_KEPT: Any = type("Kept", (caching.CompileResultCacheImpl,), {"_locator_classes": _PLACES})


class _Saving:
    """Keeps what can be kept: on a full disk a function is compiled by every process that needs it."""

    def save_overload(self, *given: Any) -> None:
        with suppress(OSError):
            super().save_overload(*given)  # type: ignore[misc]


_CACHE: Any = type("Cache", (_Saving, caching.FunctionCache), {"_impl_class": _KEPT})


def compiled(function: Function) -> Function:
    """Compile a function at its first call, without Python's lock and with C's rules of division, and keep it on disk.

    Where no folder can be written to, neither this one, the user's nor NUMBA_CACHE_DIR, it is compiled by every process.
    """
    kernel: Any = numba.njit(nogil=True, error_model="numpy")(function)
    with suppress(RuntimeError):  # numba's, of folders
        kernel._cache = _CACHE(function)  # as `cache=True` does, with another mark
    return cast(Function, kernel)
