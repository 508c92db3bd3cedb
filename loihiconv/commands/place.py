"""``loihiconv place``: a network on the cores of a board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loihiconv.commands import options as given
from loihiconv.commands.data import FORMS, Said, read_data, with_preprocessing
from loihiconv.commands.terminal import print_json, print_remark, print_tables
from loihiconv.core.choices import EnergyEngine
from loihiconv.core.files import check_writable, write_text

if TYPE_CHECKING:
    from loihiconv.core.network import Network
    from loihiconv.hardware.energy import EnergyEstimate


@with_preprocessing
def place(
    network: Annotated[Path, typer.Argument(help="A saved network (.lnet).")],
    said: Said,
    board: Annotated[
        str | None, typer.Option("--board", help="Another board than it was converted for.", autocompletion=given.complete_board)
    ] = None,
    svg: Annotated[Path | None, typer.Option(help="Write a picture of the board, each core in its layer's colour (.svg).")] = None,
    picture: Annotated[bool, typer.Option("--picture", help="Draw the board as text.")] = False,
    energy: Annotated[
        str | None, typer.Option(help=f"Estimate time and energy of a sample on typical ones: {FORMS}.", metavar="DATA")
    ] = None,
    engine: Annotated[
        EnergyEngine, typer.Option(help="Sums over counts of operations, or SANA-FE, a simulator of Loihi 1 (pip install sanafe).")
    ] = "counts",
    samples: Annotated[int, typer.Option(help="Samples that time and energy are estimated on.")] = 3,
    as_json: given.Json = False,
) -> None:
    """Put a saved network onto a board's cores: how many it takes, and what does not fit. Exit code 2 where something does not.

    Example: loihiconv place lenet.lnet --board nahuku32 --svg board.svg --energy mnist.npz
    """
    given.at_least_one(samples, "--samples")
    from loihiconv.commands.placement_table import print_placement
    from loihiconv.core.artifact import load
    from loihiconv.hardware.picture import svg as draw_svg
    from loihiconv.hardware.place import place as run_place

    if svg is not None:
        check_writable(svg)
    net = load(network)
    placement = run_place(net, board)
    estimated = None if energy is None else _estimated(net, energy, said, board, engine, samples)
    if svg is not None:
        write_text(svg, draw_svg(placement))
    if as_json:
        more = {} if estimated is None else {"energy": estimated.to_json()}
        print_json({**placement.to_json(), "unwritten": list(net.unwritten), **more})
    else:
        print_placement(placement, net.unwritten, picture=picture)
        if estimated is not None:
            print_tables(estimated)
            for text in estimated.remarks():
                print_remark(text)
    if not placement.fits:
        raise typer.Exit(2)


def _estimated(net: Network, data: str, said: Said, board: str | None, engine: EnergyEngine, samples: int) -> EnergyEstimate:
    from loihiconv.backends.energy import estimate_energy

    net, x = said.fitted(net, read_data(data, "test", given.shapes_of(net), samples=samples).x)
    return estimate_energy(net, x, board=board, engine=engine, samples=samples)
