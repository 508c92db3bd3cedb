"""``loihiconv diff``: what differs between two saved networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loihiconv.commands import options as given
from loihiconv.commands.terminal import note, print_json, print_tables


def diff(
    first: Annotated[Path, typer.Argument(help="A saved network (.lnet).")],
    second: Annotated[Path, typer.Argument(help="Another one.")],
    as_json: given.Json = False,
) -> None:
    """Say layer by layer what differs between two saved networks. Exit code 1 where anything that runs does.

    Example: loihiconv diff lenet-1.lnet lenet-2.lnet
    """
    from loihiconv.core.artifact import load
    from loihiconv.core.drift import diff as run_diff

    found = run_diff(load(first), load(second))
    if as_json:
        print_json(found.to_json())
    else:
        print_tables(found)
        for text in found.remarks():
            note(text)
    if not found.same:
        raise typer.Exit(1)
