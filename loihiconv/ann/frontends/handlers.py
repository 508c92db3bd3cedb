"""Tables of handlers: what reads, computes or translates an operation, by its kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

K = TypeVar("K")
H = TypeVar("H", bound=Callable[..., Any])


class Handlers(Generic[K]):
    """Functions by the kinds of what they handle; a front end has one table, or several, that its handlers enter themselves into."""

    def __init__(self) -> None:
        self._of: dict[K, Callable[..., Any]] = {}

    def on(self, *kinds: K) -> Callable[[H], H]:
        """Register a function, as a decorator of it, for kinds."""

        def register(handler: H) -> H:
            self._of.update(dict.fromkeys(kinds, handler))
            return handler

        return register

    def of(self, kind: K) -> Callable[..., Any] | None:
        """The function for a kind, if there is one."""
        return self._of.get(kind)
