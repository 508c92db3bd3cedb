"""``loihiconv compare``: back ends against the float network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loihiconv.commands import options as given
from loihiconv.commands.conversion import Conversion, with_conversion
from loihiconv.commands.options import first_samples, load_model, open_file, read_data, shape_of
from loihiconv.commands.reports import check_reports, finish_reports
from loihiconv.commands.terminal import error, print_comparison, print_json
from loihiconv.core.errors import BackendUnavailable, InvalidData


@with_conversion
def compare(
    conversion: Conversion,
    model: given.Model,
    data: Annotated[Path, typer.Argument(help=".npz with x_train, y_train, x_test, y_test.")],
    weights: given.Weights = None,
    net: Annotated[Path | None, typer.Option(help="A saved network instead of converting one now (.lnet).")] = None,
    backends: given.Backends = "float,emulator",
    lava_samples: given.LavaSamples = None,
    samples: given.Samples = None,
    device: given.Device = "cpu",
    stock_models: given.StockModels = False,
    mean: given.Mean = "",
    std: given.Std = "",
    output: given.Output = None,
    explain: given.Explain = False,
    html: given.Html = None,
    markdown: given.Markdown = None,
    as_json: given.Json = False,
) -> None:
    """Compare back ends with the float network on a test set; calibration uses training samples only.

    Exit code 3 where a back end that is named cannot be used from here; the others are compared all the same.

    Example: loihiconv compare mynets:lenet mnist.npz --weights lenet.pt -T 32 --backends float,emulator,lava
    """
    from loihiconv.backends.registry import without_unavailable
    from loihiconv.commands.progress import bars
    from loihiconv.core.artifact import load

    check_reports(html, markdown)
    named = [name.strip() for name in backends.split(",") if name.strip()]
    names, missing = without_unavailable(named)
    if named and not names:
        raise BackendUnavailable("no back end that is named can be used from here", where="--backends", remedy="; ".join(missing))
    file = open_file(model)
    shape = shape_of(file)
    test = first_samples(read_data(data, "test", mean, std, shape), samples)
    if test.y is None:
        raise InvalidData("holds no labels", where=str(data), limit="y_test or y expected", remedy="use 'run' for unlabelled samples")
    from loihiconv.evaluation.compare import compare as run_compare  # after what can be mistyped: it loads torch

    network, calibration = load_model(file or model, weights), None
    if net is not None:
        converted = load(net)
    else:
        train = read_data(data, "train", mean, std, shape, same_file_is_fine=False)
        calibration = train.rows(slice(conversion.samples)).x
        converted = conversion.convert(network, train.x, output)
    with bars() as progress:
        result = run_compare(
            network,
            converted,
            (test.x, test.y),
            names,
            lava_samples=lava_samples,
            device=device,
            stock_models=stock_models,
            explain=explain or bool(html or markdown),
            calibration=calibration,
            output=output,
            progress=progress,
        )
    print_json(result.to_json()) if as_json else print_comparison(result)
    finish_reports(result, html, markdown, quiet=as_json)
    for text in missing:
        error(text)
    if missing:
        raise typer.Exit(BackendUnavailable.exit_code)
