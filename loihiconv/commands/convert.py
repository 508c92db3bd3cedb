"""``loihiconv convert``: convert a network and save it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loihiconv.commands import options as given
from loihiconv.commands.clusters import on_cluster
from loihiconv.commands.conversion import Conversion, with_conversion
from loihiconv.commands.data import FORMS, Said, labelled, read_data, with_preprocessing
from loihiconv.commands.options import load_model, open_file, shape_of
from loihiconv.commands.terminal import print_json, print_tables
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.files import check_writable


@with_conversion
@with_preprocessing
def convert(
    conversion: Conversion,
    model: given.Model,
    calibration: Annotated[str, typer.Option(help=f"Training samples: {FORMS}, with x_train (or x) or a folder train.", metavar="DATA")],
    out: Annotated[Path, typer.Option(help="Where to write the network (.lnet).")],
    said: Said,
    weights: given.Weights = None,
    task: given.TaskName = None,
    output: given.Output = None,
    cluster: Annotated[
        str | None, typer.Option(help=f"Make the attempts of a search on a dask cluster: {given.CLUSTERS}", metavar="CLUSTER")
    ] = None,
    as_json: given.Json = False,
) -> None:
    """Convert a trained network for a board and save it. Exit code 2 where it does not fit the board; it is saved all the same.

    Example: loihiconv convert mynets:lenet --weights lenet.pt --calibration mnist.npz -T 32 --out lenet.lnet,
    or loihiconv convert lenet.onnx --calibration mnist.npz --out lenet.lnet
    """
    from loihiconv.clusters.cluster import check_cluster
    from loihiconv.commands.placement_table import print_fit
    from loihiconv.core.network import save
    from loihiconv.hardware.place import place

    check_writable(out)
    check_cluster(cluster)
    if cluster is not None and not conversion.searching:
        raise InvalidSetting(
            "there is no search to spread", where="--cluster", limit="--optimize accuracy or latency, or --target-loss expected"
        )
    file = open_file(model)
    said = said.for_file(file)
    said.check()
    shape = shape_of(file)
    train = read_data(calibration, "train", shape, samples=conversion.samples)
    data, preprocessing = said.prepared(train, shape)
    network = load_model(file or model, weights)
    with on_cluster(cluster) as client:
        net = conversion.convert(network, labelled(data, train.y), task, preprocessing, output, client)
    save(net, out)
    placement = place(net, conversion.board)
    if as_json:
        from loihiconv.core.input_preprocessing import as_json as as_fields

        facts = {
            "cores": placement.cores,
            "fits": placement.fits,
            "unwritten": list(net.unwritten),
            "preprocessing": as_fields(preprocessing),
        }
        print_json({"path": str(out), "timesteps": net.timesteps, "board": net.board, **facts, **net.record.to_json()})
    else:
        print_tables(net, f"{out}: {net.board}, {net.steps}")
        print_fit(placement, net.unwritten)
    if not placement.fits:
        raise typer.Exit(2)
