"""``loihiconv diff``: what differs between two saved networks, or between two comparisons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loihiconv.commands import options as given
from loihiconv.commands.terminal import note, print_json, print_tables
from loihiconv.core.errors import InvalidData

if TYPE_CHECKING:
    from loihiconv.core.drift import Drift
    from loihiconv.evaluation.difference import Difference


def diff(
    first: Annotated[Path, typer.Argument(help="A saved network (.lnet), or a comparison that 'compare --json' printed.")],
    second: Annotated[Path, typer.Argument(help="Another one of the same kind.")],
    as_json: given.Json = False,
) -> None:
    """Say what differs between two saved networks, or what changed between two comparisons. Exit code 1 where anything did.

    Of networks, layer by layer, whatever runs. Of comparisons accuracy with its interval, verdict, cost, cores, layers and settings.

    Example: loihiconv diff lenet-1.lnet lenet-2.lnet
    """
    found = _found(first, second)
    if as_json:
        print_json(found.to_json())
    else:
        print_tables(found)
        for text in found.remarks():
            note(text)
    if not found.same:
        raise typer.Exit(1)


def _found(first: Path, second: Path) -> Drift | Difference:
    """What differs, by what is in the files."""
    texts = [_is_text(path) for path in (first, second)]
    if texts[0] != texts[1]:
        one, other = (first, second) if texts[0] else (second, first)
        raise InvalidData(f"holds a comparison, and {other} none", where=str(one), limit="two comparisons, or two networks, expected")
    if texts[0]:
        from loihiconv.evaluation.difference import diff_files

        return diff_files(first, second)
    from loihiconv.core.artifact import load
    from loihiconv.core.drift import diff as run_diff

    return run_diff(load(first), load(second))


def _is_text(path: Path) -> bool:
    """Whether a file begins as JSON does, an object in braces; whatever else is none is for the reader of networks to refuse."""
    try:
        with path.open("rb") as file:
            start = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError as error:
        raise InvalidData(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    if start[:1] in (b"<", b"#"):
        raise InvalidData("is a report to read", where=str(path), limit="networks, or what 'compare --json' prints, expected")
    return start[:1] == b"{"
