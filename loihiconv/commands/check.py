"""``loihiconv check``: what of a network can be converted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from loihiconv.commands import options as given
from loihiconv.commands.options import load_model, open_file, read_data, read_shapes, shape_of
from loihiconv.commands.terminal import print_check, print_json
from loihiconv.conversion.settings import DECLARED, Settings


def check(
    model: given.Model,
    shape: Annotated[
        list[str],
        typer.Option(help="Shape of one sample, e.g. 1,28,28; most files know theirs. Of several inputs NAME=SHAPE, once for each."),
    ] = [],  # noqa: B006  # typer reads it
    weights: given.Weights = None,
    board: Annotated[str | None, typer.Option("--board", help="Also compare with a board's size.")] = None,
    maxpool: given.Pooling = Settings.maxpool,
    calibration: Annotated[
        Path | None, typer.Option(help="Training samples (.npz) to try a conversion with, instead of random ones.")
    ] = None,
    timesteps: Annotated[int, typer.Option("--timesteps", "-T", help="Time steps of the conversion that is tried.")] = 32,
    output: given.Output = None,
    as_json: given.Json = False,
) -> None:
    """Say layer by layer what cannot be converted, and whether it would fit a board.

    Example: loihiconv check mynets:lenet --shape 1,28,28 --board kapoho_point, or loihiconv check lenet.onnx
    """
    from loihiconv.hardware.board import load_board

    DECLARED["maxpool"].check(maxpool)
    dimensions = read_shapes(shape)
    chip = load_board(board) if board is not None else None
    file = open_file(model)
    known: Any = dimensions or shape_of(file)
    known = None if isinstance(known, tuple) and isinstance(known[0], tuple) else known
    data = None if calibration is None else read_data(calibration, "train", "", "", known).x
    from loihiconv.conversion.check import check as run_check  # after what can be mistyped: it loads torch

    network = load_model(file or model, weights)
    options: dict[str, Any] = {"maxpool": maxpool, "calibration": data, "timesteps": timesteps, "output": output}
    result = run_check(network, dimensions, chip, **options)
    print_json(result.to_json()) if as_json else print_check(result)
    if not result.ok:
        raise typer.Exit(2)
