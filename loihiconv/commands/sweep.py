"""``loihiconv sweep``: many settings side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loihiconv.commands import options as given
from loihiconv.commands.axes import with_axes
from loihiconv.commands.clusters import on_cluster
from loihiconv.commands.data import FORMS, Said, read_data, with_preprocessing
from loihiconv.commands.options import load_model, open_file, shape_of
from loihiconv.commands.terminal import note, print_json, print_table
from loihiconv.core.errors import InvalidData, InvalidSetting
from loihiconv.core.files import check_writable

if TYPE_CHECKING:
    from loihiconv.core.input_preprocessing import GivenPreprocessing
    from loihiconv.evaluation.sweep.result import SweepResult


@with_axes
@with_preprocessing
def sweep(
    axes: dict[str, list[Any]],
    model: given.Model,
    data: Annotated[str, typer.Argument(help=f"Training samples with labels and, for --on test, test samples: {FORMS}.")],
    said: Said,
    weights: given.Weights = None,
    net: Annotated[Path | None, typer.Option(help="A saved network (.lnet) whose preprocessing is taken.")] = None,
    board: given.Board = "kapoho_point",
    on: Annotated[
        str, typer.Option(help="Judge on train (held-out training samples) or on test (for reports; choosing by it tunes on test data).")
    ] = "train",
    samples: Annotated[int, typer.Option(help="Samples that each point runs, at most.")] = 1000,
    calibration_samples: Annotated[int, typer.Option(help="Training samples that are measured; never judged on.")] = 1000,
    task: given.TaskName = None,
    cache: Annotated[Path, typer.Option(help="Folder of finished points; the same command goes on from there.")] = Path("loihiconv-sweep"),
    plot: Annotated[Path | None, typer.Option(help="Draw accuracy against time steps and operations (.png, .svg or .pdf).")] = None,
    device: given.Device = "cpu",
    output: given.Output = None,
    cluster: given.Cluster = None,
    as_json: given.Json = False,
) -> None:
    """Convert with every combination of settings and compare accuracy, time steps and synaptic operations.

    Values are separated by commas. Ctrl-C prints what is there; the same command goes on from that.

    Example: loihiconv sweep mynets:lenet mnist.npz --weights lenet.pt -T 8,16,32 --percentile 99,99.9 --per-channel --per-layer
    """
    from loihiconv.clusters.cluster import check_cluster
    from loihiconv.core.artifact import load

    said.check()
    _check(axes, board, samples, calibration_samples, on, plot)
    check_cluster(cluster)
    file = open_file(model)
    said = said.for_file(file)
    shape = shape_of(file)
    stored = None if net is None else load(net)
    known = shape if stored is None else given.shapes_of(stored)
    if on == "train":
        # Of a file, held-out samples are taken from all over it; folders are read with classes in turn.
        needed = None if Path(data).is_file() else calibration_samples + samples
        train = read_data(data, "train", known, samples=needed)
        judged = _held_out(train, calibration_samples, samples, data)
    else:
        train = read_data(data, "train", known, samples=calibration_samples, same_file_is_fine=False)
        judged = read_data(data, "test", known, samples=samples)
    if judged.y is None:
        raise InvalidData("holds no labels", where=data, limit=f"y_{on} expected")
    if stored is not None:
        stored, _ = said.fitted(stored, train.x)
    preprocessing: GivenPreprocessing = None if stored is None else stored.preprocessing
    measured = train.first(calibration_samples)
    calibration, x = measured.x, judged.x
    if preprocessing is None:
        calibration, preprocessing = said.prepared(measured, known)
        x = x if preprocessing is not None else said.prepared(judged, known)[0]
    network = load_model(file or model, weights)
    result = _run(
        network,
        calibration,
        (x, judged.y),
        board=board,
        axes=axes,
        on="train" if on == "train" else "test",
        task=task,
        cache=cache,
        device=device,
        preprocessing=preprocessing,
        output=output,
        cluster=cluster,
    )
    _show(result, as_json=as_json)
    if not result.complete:
        note(f"interrupted: {len(result.rows)} of {result.points} points are done; the same command goes on from there ({cache.resolve()})")
        raise typer.Exit(130)
    note(f"finished points are in {cache.resolve()}: the same command, and others with some of these points, take them from there")
    note(result.caution)
    if all(row.outcome is None for row in result.rows):
        raise typer.Exit(2)
    if plot is not None:
        from loihiconv.report.sweep_plot import plot_sweep

        plot_sweep(result, plot)
        note(f"written: {plot}")


def _check(axes: dict[str, list[Any]], board: str, samples: int, calibration_samples: int, on: str, plot: Path | None) -> None:
    """Raise an error for whatever can be mistyped, before anything is read or loaded."""
    from loihiconv.evaluation.sweep.axes import points
    from loihiconv.hardware.board import load_board

    given.at_least_one(samples, "--samples")
    given.at_least_one(calibration_samples, "--calibration-samples")
    if on not in ("train", "test"):
        raise InvalidSetting(f"{on!r}", where="--on", limit="train or test expected")
    points(axes, {}, load_board(board))
    if plot is not None:
        from loihiconv.report.figures import check_figure

        check_figure(plot)
        check_writable(plot)


def _run(model: Any, calibration: Any, test_set: tuple[Any, Any], *, cluster: str | None, **options: Any) -> SweepResult:
    """The whole sweep, or what was there when Ctrl-C came."""
    from loihiconv.core.progress import Bars
    from loihiconv.evaluation.sweep.result import SweepInterrupted
    from loihiconv.evaluation.sweep.sweep import sweep as run_sweep

    try:
        with on_cluster(cluster) as client, Bars() as progress:
            return run_sweep(model, calibration, test_set, cluster=client, progress=progress, **options)
    except SweepInterrupted as interrupted:
        return interrupted.result


def _held_out(train: Any, calibration_samples: int, samples: int, data: str) -> Any:
    """Training samples that calibration does not see, from all over the rest, whose order may be by class."""
    import numpy as np

    from loihiconv.conversion.bias_correction import spread_samples

    rest = len(train) - calibration_samples
    if rest < 1:
        raise InvalidData(
            f"no training samples are left beside {calibration_samples} for calibration",
            where=data,
            limit=f"it holds {len(train)}",
            remedy="lower --calibration-samples",
        )
    return train.rows(np.asarray(spread_samples(np.arange(calibration_samples, len(train)), samples)))


def _show(result: SweepResult, *, as_json: bool) -> None:
    if as_json:
        print_json(result.to_json())
        return
    print_table(result.title, *result.cells())
    for text in result.reasons:
        note(text)
