"""``loihiconv place``: a network on the cores of a board."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loihiconv.commands import options as given
from loihiconv.commands.terminal import print_json
from loihiconv.core.files import check_writable, write_text


def place(
    network: Annotated[Path, typer.Argument(help="A saved network (.lnet).")],
    board: Annotated[
        str | None, typer.Option("--board", help="Another board than it was converted for.", autocompletion=given.complete_board)
    ] = None,
    svg: Annotated[Path | None, typer.Option(help="Write a picture of the board, each core in its layer's colour (.svg).")] = None,
    picture: Annotated[bool, typer.Option("--picture", help="Draw the board as text.")] = False,
    as_json: given.Json = False,
) -> None:
    """Put a saved network onto a board's cores: how many it takes, and what does not fit. Exit code 2 where something does not.

    Example: loihiconv place lenet.lnet --board nahuku32 --svg board.svg
    """
    from loihiconv.commands.placement_table import print_placement
    from loihiconv.core.artifact import load
    from loihiconv.hardware.picture import svg as draw_svg
    from loihiconv.hardware.place import place as run_place

    if svg is not None:
        check_writable(svg)
    net = load(network)
    placement = run_place(net, board)
    if svg is not None:
        write_text(svg, draw_svg(placement))
    if as_json:
        print_json({**placement.to_json(), "unwritten": list(net.unwritten)})
    else:
        print_placement(placement, net.unwritten, picture=picture)
    if not placement.fits:
        raise typer.Exit(2)
