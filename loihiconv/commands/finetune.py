"""``loihiconv finetune``: train a network further for few time steps."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from loihiconv.commands import options as given
from loihiconv.commands.data import FORMS, Said, read_data, with_preprocessing
from loihiconv.commands.keeping import RESUME
from loihiconv.commands.options import load_model, open_file, shape_of
from loihiconv.commands.setting_options import setting_option
from loihiconv.commands.terminal import note, print_json
from loihiconv.core import numbers as n
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.files import check_writable
from loihiconv.finetuning.options import DECLARED, Tuning


@with_preprocessing
def finetune(
    model: given.Model,
    data: Annotated[str, typer.Argument(help=f"Training samples: {FORMS}, with x_train (or x) or a folder train.")],
    out: Annotated[Path, typer.Option(help="Where to write the network (.safetensors), which convert and compare take as a MODEL.")],
    said: Said,
    weights: given.Weights = None,
    timesteps: Annotated[int, setting_option(DECLARED["timesteps"])] = 4,
    board: Annotated[
        str | None,
        typer.Option(
            "--board",
            help="Round weights to this board's bits while training; worth it with few bits.",
            autocompletion=given.complete_board,
        ),
    ] = None,
    epochs: Annotated[int, setting_option(DECLARED["epochs"])] = Tuning.epochs,
    rate: Annotated[float, setting_option(DECLARED["rate"])] = Tuning.rate,
    batch: Annotated[int, setting_option(DECLARED["batch"])] = Tuning.batch,
    rates: Annotated[str, setting_option(DECLARED["rates"])] = Tuning.rates,
    loss: Annotated[str, setting_option(DECLARED["loss"])] = Tuning.loss,
    approximate: Annotated[int, setting_option(DECLARED["approximate"])] = Tuning.approximate,
    shift: Annotated[int, setting_option(DECLARED["shift"])] = Tuning.shift,
    flip: Annotated[bool, setting_option(DECLARED["flip"])] = Tuning.flip,
    seed: Annotated[int, setting_option(DECLARED["seed"])] = Tuning.seed,
    samples: given.Samples = None,
    output: given.Output = None,
    device: Annotated[str, typer.Option(help="Torch device that trains: cpu, cuda, ...")] = "cpu",
    resume: Annotated[bool, typer.Option(RESUME, help="Go on with a training that was cut off, from what is kept beside --out.")] = False,
    as_json: given.Json = False,
) -> None:
    """Train a network further, so that few time steps suffice: minutes to hours. Nothing else here trains.

    Example: loihiconv finetune mynets:lenet mnist.npz --weights lenet.pt -T 4 --out tuned.safetensors, and then
    loihiconv convert tuned.safetensors --calibration mnist.npz -T 4 --out lenet.lnet
    """
    choices: dict[str, Any] = {"epochs": epochs, "rate": rate, "batch": batch, "rates": rates, "loss": loss, "seed": seed}
    choices |= {"approximate": approximate, "shift": shift, "flip": flip}
    Tuning(timesteps, **choices)
    check_writable(out)
    checkpoint = _checkpoint(out, resume=resume)
    if board is not None:
        from loihiconv.hardware.board import load_board

        load_board(board)
    file = open_file(model)
    said = said.for_file(file)
    shape = shape_of(file)
    read = read_data(data, "train", shape, samples=samples)
    x, preprocessing = said.prepared(read, shape)
    from loihiconv.core.input_preprocessing import taken
    from loihiconv.core.progress import Bars
    from loihiconv.core.samples import Dataset
    from loihiconv.finetuning.finetune import finetune as run_finetune  # after what can be mistyped: it loads torch

    x = taken(preprocessing, x)
    network = load_model(file or model, weights)
    with Bars() as progress, _kept(checkpoint):
        tuned = run_finetune(
            network,
            Dataset(x, read.y),
            timesteps=timesteps,
            board=board,
            output=output,
            checkpoint=checkpoint,
            device=device,
            progress=progress,
            **choices,
        )
    tuned.save(out)
    checkpoint.unlink(missing_ok=True)
    if as_json:
        print_json({"path": str(out), **tuned.record})
    else:
        losses = ", ".join(n.decimal(value, 4) for value in tuned.record["losses"])
        note(f"{out}: trained for {timesteps} time steps; mean loss of each epoch: {losses}")
        listening = f" --silent-steps {timesteps} --buffered" if rates == "rounded" else ""  # or spikes come before the whole input has
        steps = f"-T {timesteps}{listening}"
        note(f"to convert it: loihiconv convert {shlex.quote(str(out))} --calibration {shlex.quote(data)} {steps} --out NET.lnet")


def _checkpoint(out: Path, *, resume: bool) -> Path:
    """Where training is kept beside what it makes."""
    path = out.with_name(f"{out.name}.part")
    if path.exists() and not resume:
        remedy = f"go on with it: {RESUME}; or remove it"
        raise InvalidSetting("an unfinished training is kept there", where=str(path), remedy=remedy)
    return path


@contextmanager
def _kept(checkpoint: Path) -> Iterator[None]:
    """Say what is kept when training is cut off."""
    try:
        yield
    except KeyboardInterrupt:
        if checkpoint.exists():
            words = [word for word in sys.argv[1:] if word != RESUME]
            note(f"training is kept in {checkpoint}; to go on: {shlex.join(['loihiconv', *words, RESUME])}")
        raise
