"""``loihiconv compare``: back ends against the float network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loihiconv.commands import configuration
from loihiconv.commands import options as given
from loihiconv.commands.clusters import on_cluster
from loihiconv.commands.conversion import Conversion, with_conversion
from loihiconv.commands.data import FORMS, Said, labelled, read_data, with_preprocessing
from loihiconv.commands.keeping import check_kept, kept
from loihiconv.commands.options import load_model, open_file, shape_of, shapes_of
from loihiconv.commands.reports import check_reports, finish_reports
from loihiconv.commands.terminal import error, print_comparison, print_json, print_remark, print_tables
from loihiconv.core.errors import BackendUnavailable, InvalidData


@with_conversion
@with_preprocessing
def compare(
    conversion: Conversion,
    context: typer.Context,
    model: given.Model,
    data: Annotated[str, typer.Argument(help=f"Training and test samples with labels: {FORMS}.")],
    said: Said,
    weights: given.Weights = None,
    net: Annotated[Path | None, typer.Option(help="A saved network instead of converting one now (.lnet).")] = None,
    backends: given.Backends = "float,emulator",
    lava_samples: given.LavaSamples = None,
    samples: given.Samples = None,
    device: given.Device = "cpu",
    stock_models: given.StockModels = False,
    task: given.TaskName = None,
    output: given.Output = None,
    explain: given.Explain = False,
    certify: given.Certify = False,
    keep: Annotated[Path | None, typer.Option(help="Folder for slices of samples, kept as they are finished; see --resume.")] = None,
    resume: given.Resume = False,
    cluster: given.Cluster = None,
    html: given.Html = None,
    markdown: given.Markdown = None,
    plot: given.Plot = None,
    as_json: given.Json = False,
) -> None:
    """Compare back ends with the float network on a test set; calibration uses training samples only.

    Exit code 1 where --certify finds a layer that differs, 3 where a back end that is named cannot be used from here; the others are
    compared all the same.

    Example: loihiconv compare mynets:lenet mnist.npz --weights lenet.pt -T 32 --backends float,emulator,lava
    """
    from loihiconv.backends.registry import find, without_unavailable
    from loihiconv.clusters.cluster import check_cluster
    from loihiconv.core.artifact import load
    from loihiconv.core.progress import Bars

    check_reports(html, markdown, plot)
    check_kept(keep, resume=resume)
    check_cluster(cluster)
    named = [name.strip() for name in backends.split(",") if name.strip()]
    names, missing = without_unavailable(named)
    if named and not names:
        raise BackendUnavailable("no back end that is named can be used from here", where="--backends", remedy="; ".join(missing))
    file = open_file(model)
    said = said.for_file(file)
    shape = shape_of(file)
    said.check()
    converted = None if net is None else load(net)
    known = shape if converted is None else shapes_of(converted)
    test = read_data(data, "test", known, samples=samples)
    if test.y is None:
        raise InvalidData(
            "holds no labels", where=data, limit="y_test, y or folders of classes expected", remedy="use 'run' for unlabelled samples"
        )
    from loihiconv.evaluation.compare import compare as run_compare  # after what can be mistyped: it loads torch

    with on_cluster(cluster, boards=any(find(name).hardware for name in names)) as client:
        x, calibration = test.x, None
        if converted is not None:
            converted, x = said.fitted(converted, x)
            network = load_model(file or model, weights)
        else:
            train = read_data(data, "train", shape, samples=conversion.samples, same_file_is_fine=False)
            calibration, preprocessing = said.prepared(train, shape)
            network = load_model(file or model, weights)
            converted = conversion.convert(network, labelled(calibration, train.y), task, preprocessing, output, client)
            x = x if preprocessing is not None else said.prepared(test, shape)[0]
        found = None
        if certify:
            from loihiconv.evaluation.certificate import certify as run_certify
            from loihiconv.evaluation.predicting import one_output

            with Bars() as progress:  # what has no certificate is refused before anything runs
                found = run_certify(one_output(converted, output), x, device=device, progress=progress)
        with kept(keep, len(test)), Bars() as progress:
            result = run_compare(
                network,
                converted,
                (x, test.y),
                names,
                lava_samples=lava_samples,
                device=device,
                stock_models=stock_models,
                explain=explain or bool(html or markdown),
                calibration=calibration,
                task=task,
                output=output,
                keep=keep,
                cluster=client,
                progress=progress,
            )
    if as_json:
        print_json(result.to_json() | ({} if found is None else {"certificate": found.to_json()}))
    else:
        print_comparison(result)
        if found is not None:
            print_tables(found)
            print_remark(found.statement)
    finish_reports(result, html, markdown, plot, quiet=as_json, said=configuration.said(context))
    for text in missing:
        error(text)
    if missing:
        raise typer.Exit(BackendUnavailable.exit_code)
    if found is not None and not found.holds:
        raise typer.Exit(1)
