"""``loihiconv verify``: a gate for continuous integration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from loihiconv.commands import options as given
from loihiconv.commands.data import FORMS, Said, read_data, training_samples, with_preprocessing
from loihiconv.commands.options import load_model, open_file, shapes_of
from loihiconv.commands.terminal import print_json, print_tables
from loihiconv.core.errors import InvalidData, LoihiconvError
from loihiconv.core.files import check_writable, write_text
from loihiconv.lava.interpreter import find_python


@with_preprocessing
def verify(
    model: given.Model,
    data: Annotated[str, typer.Argument(help=f"Test samples with labels: {FORMS}.")],
    network: Annotated[Path, typer.Option(help="The converted network (.lnet).")],
    said: Said,
    weights: given.Weights = None,
    max_loss: Annotated[float, typer.Option(help="Points of accuracy that the emulator may lose against the float network.")] = 1.0,
    lava_samples: Annotated[int, typer.Option(help="Samples on which emulator and Lava must agree on every spike; 0 asks for none.")] = 20,
    samples: given.Samples = None,
    again: Annotated[bool, typer.Option("--again", help="Convert once more, and require the same integers.")] = False,
    calibration: Annotated[
        str | None, typer.Option(help="Training samples that it was converted with; by default those beside the test samples.")
    ] = None,
    task: given.TaskName = None,
    output: given.Output = None,
    device: given.Device = "cpu",
    junit: Annotated[Path | None, typer.Option(help="Write the requirements as test cases (JUnit XML).")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write a summary for a pull request.")] = None,
    as_json: given.Json = False,
) -> None:
    """Check that a converted network keeps its accuracy, fits its board, and equals Lava spike for spike. Exit code 1 where it does not.

    Example: loihiconv verify mynets:lenet mnist.npz --network lenet.lnet --weights lenet.pt --max-loss 0.5 --junit verify.xml
    """
    for path in (junit, markdown):
        if path is not None:
            check_writable(path)
    with _reported(junit, markdown):
        if lava_samples:
            find_python()  # before the work
        from loihiconv.core.artifact import load
        from loihiconv.core.progress import Bars

        file, net = open_file(model), load(network)
        test = read_data(data, "test", shapes_of(net), samples=samples)
        if test.y is None:
            raise InvalidData("holds no labels", where=data, limit="y_test, y or folders of classes expected")
        training = training_samples(calibration, data, said, net) if again else None
        if again and training is None:
            raise InvalidData("holds no training samples", where=data, remedy="name them with --calibration")
        net, x = said.fitted(net, test.x)
        from loihiconv.evaluation.verify import verify as run_verify  # after what can be mistyped: it loads torch

        with Bars() as progress:
            found = run_verify(
                load_model(file or model, weights),
                net,
                (x, test.y),
                max_loss=max_loss,
                lava_samples=lava_samples,
                calibration=training,
                task=task,
                output=output,
                device=device,
                progress=progress,
            )
    print_json(found.to_json()) if as_json else print_tables(found)
    if junit is not None:
        write_text(junit, found.junit())
    if markdown is not None:
        write_text(markdown, found.markdown())
    if not found.holds:
        raise typer.Exit(1)


@contextmanager
def _reported(junit: Path | None, markdown: Path | None) -> Iterator[None]:
    """An error stands in the files as well: a CI service that reads them must not take what an earlier run wrote for the answer."""
    try:
        yield
    except LoihiconvError as error:
        from loihiconv.evaluation.verify import junit as written
        from loihiconv.evaluation.verify import stopped_markdown

        if junit is not None:
            write_text(junit, written((), str(error)))
        if markdown is not None:
            write_text(markdown, stopped_markdown(str(error)))
        raise
