"""``loihiconv check``: what of a network can be converted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loihiconv.commands import options as given
from loihiconv.commands.options import load_model, numbers, open_file, read_data, shape_of
from loihiconv.commands.terminal import print_check, print_json
from loihiconv.conversion.settings import DECLARED, Settings


def check(
    model: given.Model,
    shape: Annotated[str, typer.Option(help="Shape of one sample, e.g. 1,28,28; most files know theirs.")] = "",
    weights: given.Weights = None,
    board: Annotated[str | None, typer.Option("--board", help="Also compare with a board's size.")] = None,
    maxpool: given.Pooling = Settings.maxpool,
    calibration: Annotated[
        Path | None, typer.Option(help="Training samples (.npz) to try a conversion with, instead of random ones.")
    ] = None,
    timesteps: Annotated[int, typer.Option("--timesteps", "-T", help="Time steps of the conversion that is tried.")] = 32,
    as_json: given.Json = False,
) -> None:
    """Say layer by layer what cannot be converted, and whether it would fit a board.

    Example: loihiconv check mynets:lenet --shape 1,28,28 --board kapoho_point, or loihiconv check lenet.onnx
    """
    from loihiconv.hardware.board import load_board

    DECLARED["maxpool"].check(maxpool)
    dimensions = tuple(int(n) for n in numbers(shape, "shape")) or None
    chip = load_board(board) if board is not None else None
    file = open_file(model)
    known = dimensions or shape_of(file)
    data = None if calibration is None else read_data(calibration, "train", "", "", known).x
    from loihiconv.conversion.check import check as run_check  # after what can be mistyped: it loads torch

    network = load_model(file or model, weights)
    result = run_check(network, dimensions, chip, maxpool=maxpool, calibration=data, timesteps=timesteps)  # type: ignore[arg-type]  # checked above
    print_json(result.to_json()) if as_json else print_check(result)
    if not result.ok:
        raise typer.Exit(2)
