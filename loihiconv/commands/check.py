"""``loihiconv check``: what of a network can be converted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from loihiconv.commands import options as given
from loihiconv.commands.data import FORMS, Said, read_data, with_preprocessing
from loihiconv.commands.options import load_model, open_file, read_shapes, shape_of
from loihiconv.commands.terminal import print_check, print_json
from loihiconv.conversion.settings import DECLARED, Settings


@with_preprocessing
def check(
    model: given.Model,
    said: Said,
    shape: Annotated[
        list[str],
        typer.Option(
            help="Shape of one sample as the network takes it, without the batch: 1,28,28 for channels, rows and columns of grey images, "
            "3,32,32 for colours, 64 for 64 features. Most files know theirs, and --calibration tells it. Of several inputs NAME=SHAPE, "
            "once for each."
        ),
    ] = [],  # noqa: B006  # typer reads it
    weights: given.Weights = None,
    board: Annotated[
        str | None, typer.Option("--board", help="Also compare with a board's size.", autocompletion=given.complete_board)
    ] = None,
    maxpool: given.Pooling = Settings.maxpool,
    approximate: given.Approximate = Settings.approximate,
    calibration: Annotated[
        str | None, typer.Option(help=f"Training samples to try a conversion with, instead of random ones: {FORMS}.", metavar="DATA")
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
    DECLARED["approximate"].check(approximate)
    dimensions = read_shapes(shape)
    chip = load_board(board) if board is not None else None
    file = open_file(model)
    said = said.for_file(file)
    known: Any = dimensions or shape_of(file)
    known = None if isinstance(known, tuple) and isinstance(known[0], tuple) else known
    data = preprocessing = None
    if calibration is not None:
        data, preprocessing = said.prepared(read_data(calibration, "train", known, samples=1000), known)
        if preprocessing is not None and not isinstance(preprocessing, Mapping):
            dimensions = dimensions or tuple(preprocessing.apply(data[:1]).shape[1:])
    from loihiconv.conversion.check import check as run_check  # after what can be mistyped: it loads torch

    network = load_model(file or model, weights)
    options: dict[str, Any] = {
        "maxpool": maxpool,
        "approximate": approximate,
        "calibration": data,
        "preprocessing": preprocessing,
        "timesteps": timesteps,
        "output": output,
    }
    result = run_check(network, dimensions, chip, **options)
    print_json(result.to_json()) if as_json else print_check(result)
    if not result.ok:
        raise typer.Exit(2)
