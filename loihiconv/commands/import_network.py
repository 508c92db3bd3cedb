"""``loihiconv import``: a network of another program, as a network to run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from loihiconv.commands import options as given
from loihiconv.commands.conversion import CalibrationSamples
from loihiconv.commands.data import FORMS, Said, read_data, with_preprocessing
from loihiconv.commands.setting_options import setting_option
from loihiconv.commands.terminal import note, print_json, print_tables
from loihiconv.conversion.settings import DECLARED
from loihiconv.core.files import check_writable


@with_preprocessing
def import_network(
    file: Annotated[Path, typer.Argument(help="A NIR graph (.nir), or a network of lava-dl (.net). Nothing in it is executed.")],
    out: Annotated[Path, typer.Option(help="Where to write the network (.lnet).")],
    said: Said,
    timesteps: Annotated[
        int | None, typer.Option("--timesteps", "-T", help="Time steps that each sample gets; by default what the file says.")
    ] = None,
    board: given.Board = "kapoho_point",
    as_float: Annotated[bool, typer.Option("--float", help="Stop at the float spiking network of a NIR file, for the simulators.")] = False,
    calibration: Annotated[str | None, typer.Option(help=f"Training samples, needed for a board: {FORMS}.", metavar="DATA")] = None,
    reset: Annotated[
        str | None,
        typer.Option(help="What a spike does, where the file does not say it or is wrong.", metavar="subtract|zero"),
    ] = None,
    input_coding: Annotated[
        str | None, typer.Option(help="How inputs enter; by default what suits the file.", metavar="analog|rate|poisson")
    ] = None,
    spike_bits: Annotated[
        int | None, typer.Option(help="More than 1: neurons may send several spikes in a step, as sinabs' do. Loihi 2 alone.")
    ] = None,
    dt: Annotated[float | None, typer.Option(help="Length of a step, where r and time constants of NIR are in units of time.")] = None,
    rounding: Annotated[str, setting_option(DECLARED["rounding"])] = "auto",
    seed: Annotated[int, typer.Option(help="Of Poisson input.")] = 0,
    calibration_samples: CalibrationSamples = 1000,
    as_json: given.Json = False,
) -> None:
    """Take a spiking network of another program as it is, quantize it for a board and save it.

    Example: loihiconv import scnn.nir --timesteps 100 --calibration events.npz --reset subtract --out scnn.lnet
    """
    given.at_least_one(calibration_samples, "--calibration-samples", "calibration samples")
    options: dict[str, Any] = {"reset": reset, "input_coding": input_coding, "spike_bits": spike_bits, "rounding": rounding, "seed": seed}
    for name, value in {**options, "timesteps": timesteps}.items():
        if value is not None:
            DECLARED[name].check(value)
    check_writable(out)
    from loihiconv.hardware.board import load_board

    chosen = None if as_float else load_board(board)
    from loihiconv.core.network import save
    from loihiconv.exchange.importing import import_network as run_import

    samples = preprocessing = None
    if calibration is not None:
        data = read_data(calibration, "train", samples=calibration_samples)
        preprocessing = said.chosen(data, None)
        samples = preprocessing.apply(data.x)
    net = run_import(file, timesteps=timesteps, calibration=samples, board=chosen, dt=dt, **options).with_preprocessing(preprocessing)
    save(net, out)
    if as_json:
        print_json({"path": str(out), "timesteps": net.timesteps, "board": net.board, **net.record.to_json()})
        return
    for text in net.record.notes:
        note(text)
    print_tables(net, f"{out}: {net.board or ('any board' if net.fixed_point else 'float')}, T = {net.timesteps}")
