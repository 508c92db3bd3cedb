"""``loihiconv convert``: convert a network and save it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loihiconv.commands import options as given
from loihiconv.commands.conversion import Conversion, with_conversion
from loihiconv.commands.options import load_model, open_file, read_data, shape_of
from loihiconv.commands.terminal import print_json, print_tables
from loihiconv.core.files import check_writable


@with_conversion
def convert(
    conversion: Conversion,
    model: given.Model,
    calibration: Annotated[Path, typer.Option(help=".npz with x_train (or x): training samples.")],
    out: Annotated[Path, typer.Option(help="Where to write the network (.lnet).")],
    weights: given.Weights = None,
    mean: given.Mean = "",
    std: given.Std = "",
    output: given.Output = None,
    as_json: given.Json = False,
) -> None:
    """Convert a trained network for a board and save it.

    Example: loihiconv convert mynets:lenet --weights lenet.pt --calibration mnist.npz -T 32 --out lenet.lnet,
    or loihiconv convert lenet.onnx --calibration mnist.npz --out lenet.lnet
    """
    from loihiconv.core.network import save

    check_writable(out)
    file = open_file(model)
    data = read_data(calibration, "train", mean, std, shape_of(file))
    net = conversion.convert(load_model(file or model, weights), data.x, output)
    save(net, out)
    if as_json:
        print_json({"path": str(out), "timesteps": net.timesteps, "board": net.board, **net.record.to_json()})
        return
    print_tables(net, f"{out}: {net.board}, T = {net.timesteps}")
