"""Commands whose options are put together: what typer reads of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable


def with_parameters(wrapper: Callable[..., None], parameters: Iterable[inspect.Parameter]) -> Callable[..., None]:
    """A function that `functools.wraps` made of a command, with these parameters instead of the command's own, all by keyword."""
    given = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    wrapper.__signature__ = inspect.Signature(given)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in given}
    del wrapper.__wrapped__  # type: ignore[attr-defined]  # or its signature would be seen
    return wrapper
